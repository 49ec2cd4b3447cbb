using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using CaveComm.Sandbox.Http;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;

namespace CaveComm.Sandbox.BtcPay;

/// <summary>One call of the API, its body already read.</summary>
internal sealed record BtcPayCall(HttpContext Http, JsonObject Members)
{
    public BtcPayBody Body { get; } = new(Members);

    public string Route(string name) => (string)Http.Request.RouteValues[name]!;

    public bool Flag(string name) => bool.TryParse(Http.Request.Query[name], out var flag) && flag;

    public string[] Query(string name) => [.. Http.Request.Query[name].OfType<string>().Where(it => it.Length > 0)];

    public long? Number(string name) => long.TryParse(Http.Request.Query[name], out var number) ? number : null;
}

/// <summary>The API's routes: who may call, what the body is, and the faults a test has asked for.</summary>
internal sealed class BtcPayRoutes(WebApplication app, BtcPayWorld world, CancellationToken stopping)
{
    /// <summary>A route of the store. It is found under the short form of newer servers as well.</summary>
    public void InStore(string method, string path, Func<BtcPayCall, BtcPayAnswer> answer, bool isShortToo = true)
    {
        Open(method, $"/api/v1/stores/{{storeId}}/{path}", call => call.Route("storeId") == world.Options.StoreId ? answer(call) : OtherStore(), true);
        if (isShortToo)
        {
            Open(method, $"/api/v1/{path}", answer, true);
        }
    }

    public void Add(string method, string path, Func<BtcPayCall, BtcPayAnswer> answer) => Open(method, "/api/v1/" + path, answer, true);

    /// <summary>A route that asks for no key.</summary>
    public void Anonymous(string method, string path, Func<BtcPayCall, BtcPayAnswer> answer) => Open(method, "/api/v1/" + path, answer, false);

    private static BtcPayAnswer OtherStore() => new(StatusCodes.Status403Forbidden, new JsonObject
    {
        ["code"] = "missing-permission",
        ["message"] = "Insufficient API Permissions. The key is for another store.",
        ["missingPermission"] = "btcpay.store.canviewstoresettings",
    });

    private void Open(string method, string path, Func<BtcPayCall, BtcPayAnswer> answer, bool needsKey) =>
        app.MapMethods(path, [method], (RequestDelegate)(http => Serve(http, answer, needsKey)));

    private async Task Serve(HttpContext http, Func<BtcPayCall, BtcPayAnswer> handle, bool needsKey)
    {
        var answer = needsKey && !HasKey(http.Request)
            ? BtcPayAnswer.Fault(StatusCodes.Status401Unauthorized, "unauthenticated", "Authentication is required for accessing this endpoint")
            : await Handle(http, handle);
        if (http.Request.Method != HttpMethods.Get)
        {
            var controls = world.Controls();
            var call = world.CountCall();
            if (controls.TimeoutEvery > 0 && call % controls.TimeoutEvery == 0)
            {
                await Hang(http);
                return;
            }

            if (controls.ErrorEvery > 0 && call % controls.ErrorEvery == 0)
            {
                // As a proxy in front of it would say it: nobody may count on JSON here.
                await http.Response.Html("<html><body><h1>500 Internal Server Error</h1></body></html>", StatusCodes.Status500InternalServerError);
                return;
            }
        }

        await answer.Write(http.Response);
    }

    private static async Task<BtcPayAnswer> Handle(HttpContext http, Func<BtcPayCall, BtcPayAnswer> handle)
    {
        var hasBody = http.Request.ContentLength > 0 || http.Request.Headers.TransferEncoding.Count > 0;
        if (hasBody && !http.Request.HasJsonContentType())
        {
            return new BtcPayAnswer(StatusCodes.Status415UnsupportedMediaType);
        }

        return await http.Request.JsonBody() is { } members
            ? handle(new BtcPayCall(http, members))
            : BtcPayAnswer.Invalid(("", "The body must be a JSON object"));
    }

    /// <summary>The work is done and nobody hears of it, until the caller has had enough.</summary>
    private async Task Hang(HttpContext http)
    {
        using var either = CancellationTokenSource.CreateLinkedTokenSource(http.RequestAborted, stopping);
        await Task.Delay(Timeout.InfiniteTimeSpan, world.Time, either.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        http.Abort();
    }

    private bool HasKey(HttpRequest request)
    {
        var given = request.Headers.Authorization.ToString().Split(' ', 2, StringSplitOptions.TrimEntries);
        return given is [var scheme, var key]
            && (scheme.Equals("token", StringComparison.OrdinalIgnoreCase) || scheme.Equals("Bearer", StringComparison.OrdinalIgnoreCase))
            && CryptographicOperations.FixedTimeEquals(Encoding.UTF8.GetBytes(key), Encoding.UTF8.GetBytes(world.Options.ApiKey));
    }
}
