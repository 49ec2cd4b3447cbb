using System.Text;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using CaveComm.Sandbox.Stripe.Resources;
using CaveComm.Sandbox.Stripe.Wire;
using Microsoft.AspNetCore.Http;

namespace CaveComm.Sandbox.Stripe;

/// <summary>Everything under <c>/v1/</c>: who calls, what is asked, whether it was asked before, and the answer.</summary>
internal sealed partial class StripeApi(StripeWorld world, CancellationToken stopping)
{
    private readonly IdempotencyKeys keys = new();
    private readonly StripeRoutes routes = Resource.All();

    public async Task Serve(HttpContext http)
    {
        var requestId = "req_" + StripeUnit.NewSecret(14);
        http.Response.Headers["Request-Id"] = requestId;
        Answer answer;
        try
        {
            Authenticate(http);
            var version = Version(http);
            http.Response.Headers["Stripe-Version"] = version;
            answer = await Answered(http, requestId);
        }
        catch (StripeFault fault)
        {
            answer = new Answer(fault.Status, fault.ToJson(requestId));
        }
        catch (Exception bug) when (bug is not OperationCanceledException)
        {
            // The look-alike's own mistake; whoever tests against it should read what it was.
            answer = new Answer(500, new StripeFault(500, "api_error", null, $"The sandbox failed: {bug}").ToJson(requestId));
        }

        var controls = world.Controls();
        var call = world.CountCall();
        if (controls.TimeoutEvery > 0 && call % controls.TimeoutEvery == 0)
        {
            await Hang(http);
            return;
        }

        if (controls.ErrorEvery > 0 && call % controls.ErrorEvery == 0)
        {
            answer = LostAnswer(requestId);
        }

        if (answer.Replayed)
        {
            http.Response.Headers["Idempotent-Replayed"] = "true";
            http.Response.Headers["Original-Request"] = answer.OriginalRequest;
        }

        http.Response.StatusCode = answer.Status;
        http.Response.ContentType = "application/json";
        await http.Response.WriteAsync(answer.Body.ToJsonString(), http.RequestAborted);
    }

    private static Answer LostAnswer(string requestId) => new(
        500,
        new StripeFault(500, "api_error", null, "Something went wrong on Stripe's end. The work may have been done.").ToJson(requestId));

    private async Task<Answer> Answered(HttpContext http, string requestId)
    {
        var path = http.Request.Path.Value!;
        var method = http.Request.Method == "HEAD" ? "GET" : http.Request.Method;
        var parameters = await Read(http.Request);
        if (routes.Find(method, path) is not var (route, id, parent))
        {
            throw new StripeFault(404, "invalid_request_error", null, $"Unrecognized request URL ({method}: {path}).");
        }

        route.Rules.Check(parameters);
        var account = ActingFor(http);
        var key = method == "POST" ? http.Request.Headers["Idempotency-Key"].ToString() : "";
        if (key.Length == 0)
        {
            await Pause(http);
            return Execute(new Asked(route, id, parent, parameters), account, new StripeRequest(requestId, null), null);
        }

        http.Response.Headers["Idempotency-Key"] = key;
        if (key.Length > 255)
        {
            throw StripeFault.Early(null, $"Idempotency keys can have up to 255 characters; this one has {key.Length}.");
        }

        using (keys.Hold(account, key))
        {
            await Pause(http);
            var kept = new Keeping(key, path, IdempotencyKeys.Fingerprint(account, path, parameters));
            return Execute(new Asked(route, id, parent, parameters), account, new StripeRequest(requestId, key), kept);
        }
    }

    private async Task Pause(HttpContext http)
    {
        if (world.Controls().DelayMilliseconds is > 0 and var delay)
        {
            await Task.Delay(TimeSpan.FromMilliseconds(delay), world.Time, http.RequestAborted);
        }
    }

    private Answer Execute(Asked asked, string? account, StripeRequest request, Keeping? keeping)
    {
        try
        {
            return world.Transact(account, request, unit =>
            {
                if (keeping is not null
                    && IdempotencyKeys.Find(unit.Work, account, keeping.Key, keeping.Path, keeping.Fingerprint, unit.Now) is { } kept)
                {
                    return new Answer((int)kept["status"]!, kept["body"]!.AsObject(), true, (string?)kept["request"]);
                }

                var answer = Handle(asked.Route, new StripeCall(unit, asked.Parameters, asked.Id, asked.Parent), request.Id);
                Keep(unit, keeping, request.Id, answer);
                return answer;
            });
        }
        catch (StripeFault fault) when (!fault.BeforeExecution && fault.Status is not 401 and not 429 && keeping is not null)
        {
            // The work was undone with its transaction; the answer is kept all the same, as a failed request is an answer.
            var answer = new Answer(fault.Status, fault.ToJson(request.Id));
            if ((string?)answer.Body["error"]!["type"] != "idempotency_error")
            {
                world.Transact(account, request, unit =>
                {
                    Keep(unit, keeping, request.Id, answer);
                    return true;
                });
            }

            return answer;
        }
    }

    private static Answer Handle(StripeRoute route, StripeCall call, string requestId)
    {
        try
        {
            var body = route.Handle(call);
            Expansion.Apply(call.Unit, body, call.Parameters.Texts("expand"));
            return new Answer(200, body);
        }
        catch (StripeFault fault) when (fault.KeepsChanges)
        {
            return new Answer(fault.Status, fault.ToJson(requestId));
        }
    }

    private void Keep(StripeUnit unit, Keeping? keeping, string requestId, Answer answer)
    {
        if (keeping is null)
        {
            return;
        }

        // A 500 that is to be stored must be decided before the answer is, so the counter is looked at ahead of its step.
        var controls = world.Controls();
        var kept = controls is { ErrorsStored: true, ErrorEvery: > 0 } && world.NextCallIs(controls.ErrorEvery) ? LostAnswer(requestId) : answer;
        IdempotencyKeys.Keep(
            unit.Work, unit.Account, keeping.Key, keeping.Path, keeping.Fingerprint, requestId, kept.Status, kept.Body, unit.Now);
    }

    private void Authenticate(HttpContext http)
    {
        var header = http.Request.Headers.Authorization.ToString();
        string? given = null;
        if (header.StartsWith("Bearer ", StringComparison.OrdinalIgnoreCase))
        {
            given = header["Bearer ".Length..].Trim();
        }
        else if (header.StartsWith("Basic ", StringComparison.OrdinalIgnoreCase))
        {
            var decoded = new byte[header.Length];
            given = Convert.TryFromBase64String(header["Basic ".Length..].Trim(), decoded, out var length)
                ? Encoding.UTF8.GetString(decoded, 0, length).Split(':')[0]
                : "";
        }

        if (given == world.Options.ApiKey)
        {
            return;
        }

        http.Response.Headers.WWWAuthenticate = "Bearer realm=\"Stripe\"";
        throw new StripeFault(401, "invalid_request_error", null, given is null
            ? "You did not provide an API key. Send it in the Authorization header, as a bearer token."
            : $"Invalid API Key provided: {(given.Length > 12 ? given[..8] + "****" + given[^4..] : "****")}");
    }

    private static string Version(HttpContext http) => http.Request.Headers["Stripe-Version"].ToString() switch
    {
        "" => StripeWorld.ApiVersion,
        { } version when VersionShape().IsMatch(version) => version,
        { } version => throw StripeFault.Early(null, $"Invalid Stripe API version: {version}"),
    };

    private string? ActingFor(HttpContext http)
    {
        var account = http.Request.Headers["Stripe-Account"].ToString();
        if (account.Length == 0)
        {
            return null;
        }

        return world.Transact(null, null, unit => unit.Find("account", account)) is not null
            ? account
            : throw new StripeFault(
                403,
                "invalid_request_error",
                "account_invalid",
                $"The provided key does not have access to account '{account}' (or that account does not exist).");
    }

    private static async Task<StripeParameters> Read(HttpRequest request)
    {
        var query = request.Query.SelectMany(pair => pair.Value.Select(value => KeyValuePair.Create(pair.Key, value ?? "")));
        if (!HttpMethods.IsPost(request.Method))
        {
            return StripeParameters.Parse(query);
        }

        if (request.HasFormContentType && !request.ContentType!.StartsWith("multipart/", StringComparison.OrdinalIgnoreCase))
        {
            var form = await request.ReadFormAsync(request.HttpContext.RequestAborted);
            return StripeParameters.Parse([
                .. query,
                .. form.SelectMany(pair => pair.Value.Select(value => KeyValuePair.Create(pair.Key, value ?? ""))),
            ]);
        }

        return request.ContentLength is null or 0 && request.ContentType is null
            ? StripeParameters.Parse(query)
            : throw StripeFault.Early(null, "Invalid request: the content type of a POST is application/x-www-form-urlencoded.");
    }

    /// <summary>The work is done and nobody hears of it: the connection stays open until the caller gives up.</summary>
    private async Task Hang(HttpContext http)
    {
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(http.RequestAborted, stopping);
        await Task.Delay(world.Options.HangFor, world.Time, ended.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        http.Abort();
    }

    [GeneratedRegex(@"^\d{4}-\d{2}-\d{2}(\.[a-z]+)?$")]
    private static partial Regex VersionShape();

    private sealed record Answer(int Status, JsonObject Body, bool Replayed = false, string? OriginalRequest = null);

    private sealed record Asked(StripeRoute Route, string Id, string? Parent, StripeParameters Parameters);

    private sealed record Keeping(string Key, string Path, string Fingerprint);
}
