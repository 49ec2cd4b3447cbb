using System.Text.Json;
using System.Text.Json.Nodes;
using CaveComm.Sandbox.Stripe.Resources;
using Microsoft.AspNetCore.Http;

namespace CaveComm.Sandbox.Stripe;

/// <summary><c>/_control</c>: what a test or a demo may do to this Stripe. JSON only, so that no foreign page's form can reach it.</summary>
internal static class ControlEndpoint
{
    public static Task Show(HttpContext http, StripeWorld world)
    {
        http.Response.ContentType = "application/json";
        return http.Response.WriteAsync(State(world).ToJsonString(), http.RequestAborted);
    }

    public static async Task Change(HttpContext http, StripeWorld world)
    {
        if (!http.Request.HasJsonContentType())
        {
            http.Response.StatusCode = StatusCodes.Status415UnsupportedMediaType;
            return;
        }

        try
        {
            var asked = await JsonNode.ParseAsync(http.Request.Body, cancellationToken: http.RequestAborted);
            Apply(world, asked as JsonObject ?? throw new FormatException("Send a JSON object."));
        }
        catch (Exception fault) when (fault is JsonException or FormatException or InvalidOperationException)
        {
            http.Response.StatusCode = StatusCodes.Status400BadRequest;
            await http.Response.WriteAsJsonAsync(new { error = fault.Message }, http.RequestAborted);
            return;
        }

        await Show(http, world);
    }

    private static JsonObject State(StripeWorld world)
    {
        var state = world.Controls().ToDocument();
        var switches = world.Webhooks.ReadSwitches();
        state["webhookUrl"] = world.Webhooks.Target(StripeWorld.DefaultEndpoint)?.AbsoluteUri;
        state["duplicates"] = switches.Copies;
        state["holdWebhooks"] = switches.Hold;
        state["dropWebhooks"] = switches.Drop;
        state["shuffleWebhooks"] = switches.Shuffle;
        state["waitingWebhooks"] = world.Webhooks.CountWaiting();
        state["aheadSeconds"] = (long)world.Ahead.TotalSeconds;
        state["refunds"] = world.Transact(null, null, RefundOutcomes.Read);
        state["waitingMails"] = world.Mails.CountWaiting();
        return state;
    }

    private static void Apply(StripeWorld world, JsonObject asked)
    {
        var controls = world.Controls();
        var switches = world.Webhooks.ReadSwitches();
        foreach (var (name, value) in asked)
        {
            switch (name)
            {
                case "timeoutEvery":
                    controls = controls with { TimeoutEvery = Number(name, value) };
                    break;
                case "errorEvery":
                    controls = controls with { ErrorEvery = Number(name, value) };
                    break;
                case "errorsStored":
                    controls = controls with { ErrorsStored = (bool)value! };
                    break;
                case "delayMilliseconds":
                    controls = controls with { DelayMilliseconds = Number(name, value) };
                    break;
                case "failPayouts":
                    controls = controls with { FailPayouts = (bool)value! };
                    break;
                case "duplicates":
                    switches = switches with { Copies = Math.Max(1, Number(name, value)) };
                    break;
                case "holdWebhooks":
                    switches = switches with { Hold = (bool)value! };
                    break;
                case "dropWebhooks":
                    switches = switches with { Drop = (bool)value! };
                    break;
                case "shuffleWebhooks":
                    switches = switches with { Shuffle = (bool)value! };
                    break;
                case "webhookUrl":
                    world.Webhooks.SetTarget(StripeWorld.DefaultEndpoint, value is null ? null : new Uri((string)value!));
                    break;
                case "accounts":
                    Seed(world, value!.AsArray());
                    break;
                case var act when ControlActs.Do(world, act, value):
                    break;
                default:
                    throw new FormatException($"There is no control called {name}.");
            }
        }

        world.Set(controls);
        world.Webhooks.Set(switches);
    }

    private static int Number(string name, JsonNode? value) => (int?)value is { } number and >= 0
        ? number
        : throw new FormatException($"{name} is a whole number, 0 or more.");

    private static void Seed(StripeWorld world, JsonArray accounts) => world.Transact(null, null, unit =>
    {
        foreach (var account in accounts.OfType<JsonObject>())
        {
            Accounts.Seed(
                unit,
                (string?)account["id"] ?? throw new FormatException("An account has an id."),
                (string?)account["email"],
                (string?)account["country"] ?? "DE",
                (string?)account["currency"] ?? "eur");
        }

        return true;
    });
}
