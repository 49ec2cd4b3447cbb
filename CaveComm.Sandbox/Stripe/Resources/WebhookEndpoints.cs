using System.Text.Json.Nodes;
using CaveComm.Sandbox.Stripe.Wire;

namespace CaveComm.Sandbox.Stripe.Resources;

/// <summary>Endpoints made over the API, each with its own secret, beside the one that the sandbox's control sets.</summary>
internal static class WebhookEndpoints
{
    private const string Kind = "webhook_endpoint";

    public static void Map(StripeRoutes routes)
    {
        routes.Post("/v1/webhook_endpoints", "url enabled_events[] api_version connect description metadata*", Create);
        routes.Post("/v1/webhook_endpoints/{id}", "url enabled_events[] disabled description metadata*", Update);
        routes.Get("/v1/webhook_endpoints/{id}", "", call => call.Render(call.Unit.Get(Kind, call.Id)));
        routes.Delete("/v1/webhook_endpoints/{id}", Delete);
        routes.List("/v1/webhook_endpoints", "", call => Lists.Answer(call, "/v1/webhook_endpoints", Kind, _ => true));
    }

    public static bool Wants(JsonObject endpoint, string type, bool ofConnectedAccount) =>
        (string?)endpoint["status"] == "enabled"
        && (bool)endpoint["_connect"]! == ofConnectedAccount
        && endpoint["enabled_events"]!.AsArray().Any(it => (string?)it == type || (string?)it == "*");

    private static JsonObject Create(StripeCall call)
    {
        var given = call.Parameters;
        var url = Url(given, given.Required("url"));
        var endpoint = call.Unit.New(Kind, "we");
        endpoint["api_version"] = given.Text("api_version");
        endpoint["application"] = null;
        endpoint["description"] = given.Text("description");
        endpoint["enabled_events"] = EventTypes(given);
        endpoint["metadata"] = given.Metadata();
        endpoint["status"] = "enabled";
        endpoint["url"] = url.OriginalString;
        endpoint["_connect"] = given.Flag("connect") ?? false;
        endpoint["_secret"] = "whsec_" + StripeUnit.NewSecret(32);
        call.Unit.Put(endpoint);
        call.Unit.World.Webhooks.SetTarget(call.Unit.Work, (string)endpoint["id"]!, url);
        var shown = call.Render(endpoint);
        shown["secret"] = (string)endpoint["_secret"]!; // Shown this once.
        return shown;
    }

    private static JsonObject Update(StripeCall call)
    {
        var given = call.Parameters;
        var endpoint = call.Unit.Get(Kind, call.Id);
        if (given.Text("url") is { } text)
        {
            var url = Url(given, text);
            endpoint["url"] = url.OriginalString;
            call.Unit.World.Webhooks.SetTarget(call.Unit.Work, call.Id, url);
        }

        if (given.Has("enabled_events"))
        {
            endpoint["enabled_events"] = EventTypes(given);
        }

        if (given.Flag("disabled") is { } disabled)
        {
            endpoint["status"] = disabled ? "disabled" : "enabled";
        }

        if (given.Has("description"))
        {
            endpoint["description"] = given.Text("description");
        }

        endpoint["metadata"] = given.Metadata(endpoint["metadata"]!.AsObject());
        call.Unit.Put(endpoint);
        return call.Render(endpoint);
    }

    private static JsonObject Delete(StripeCall call)
    {
        call.Unit.Remove(call.Unit.Get(Kind, call.Id));
        call.Unit.World.Webhooks.Forget(call.Unit.Work, call.Id);
        return new JsonObject { ["id"] = call.Id, ["object"] = Kind, ["deleted"] = true };
    }

    private static JsonArray EventTypes(StripeParameters given) => given.Texts("enabled_events") is { Count: > 0 } types
        ? [.. types.Select(type => JsonValue.Create(type))]
        : throw StripeFault.Missing("enabled_events");

    private static Uri Url(StripeParameters given, string text) =>
        Uri.TryCreate(text, UriKind.Absolute, out var url) && (url.Scheme is "http" or "https")
            ? url
            : throw StripeFault.Early("url_invalid", $"Invalid URL: {text}", given.Name("url"));
}
