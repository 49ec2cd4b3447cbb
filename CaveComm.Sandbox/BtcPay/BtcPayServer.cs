using System.Text.Json.Nodes;
using CaveComm.Sandbox.Faults;
using CaveComm.Sandbox.Http;
using CaveComm.Sandbox.Storage;
using CaveComm.Sandbox.Webhooks;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace CaveComm.Sandbox.BtcPay;

/// <summary>A BTCPay Server look-alike on 127.0.0.1: the Greenfield API, checkout pages and webhooks, with a chain that obeys buttons.</summary>
public sealed class BtcPayServer : IAsyncDisposable
{
    private readonly BtcPayWorld world;
    private readonly CancellationTokenSource stopping = new();
    private WebApplication web = null!;

    private BtcPayServer(BtcPayWorld world) => this.world = world;

    /// <summary>With a slash at the end.</summary>
    public Uri Url => world.BaseUrl;

    /// <summary>The launcher's webhooks on their way.</summary>
    public WebhookQueue Webhooks => world.Hooks.Queue;

    public static async Task<BtcPayServer> Start(SandboxStore store, BtcPayOptions options, TimeProvider time, CancellationToken cancel)
    {
        var server = new BtcPayServer(new BtcPayWorld(store, options, time));
        try
        {
            server.web = await LoopbackWeb.Start(options.Port, server.Map, cancel);
        }
        catch
        {
            await server.world.DisposeAsync();
            throw;
        }

        server.world.Start(server.web.Url());
        return server;
    }

    /// <summary>Where the launcher's webhook goes; what waits is sent there.</summary>
    public void SetWebhookUrl(Uri url) => world.Hooks.PointOwn(url);

    public async ValueTask DisposeAsync()
    {
        await stopping.CancelAsync();
        await web.StopAsync();
        await web.DisposeAsync();
        await world.DisposeAsync();
        stopping.Dispose();
    }

    private void Map(WebApplication app)
    {
        FaultSwitch.Use(app, "/api/v1", new JsonObject
        {
            ["timeoutEvery"] = 0,
            ["errorEvery"] = 0,
            ["holdPayouts"] = false,
            ["cancelPayouts"] = false,
            ["duplicates"] = 1,
            ["holdWebhooks"] = false,
            ["dropWebhooks"] = false,
            ["shuffleWebhooks"] = false,
        });
        var routes = new BtcPayRoutes(app, world, stopping.Token);
        StoreApi.Map(routes, world);
        InvoiceApi.Map(routes, world);
        PayoutApi.Map(routes, world);
        PullPaymentApi.Map(app, routes, world);
        HookApi.Map(routes, world);
        world.Lightning.Map(routes);
        PayPage.Map(app, world);
        app.MapGet("/", (RequestDelegate)(http => http.Response.Html(Page.Html(
            "Sandbox BTCPay Server",
            "<h1>Sandbox BTCPay Server</h1><p>No real coins here. Checkout pages are under <code>/i/…</code>, the API is under <code>/api/v1/</code>.</p>"))));
        // What stands for the world outside BTCPay: the tests' hand, and wallets in the Lightning network.
        app.MapGet("/_control", (RequestDelegate)Show);
        app.MapPost("/_control", (RequestDelegate)Control);
        app.MapPost("/_lightning/pay", (RequestDelegate)(async http =>
            await world.Lightning.PayIn(new BtcPayCall(http, await http.Request.JsonBody() ?? [])).Write(http.Response)));
    }

    private async Task Control(HttpContext http)
    {
        var body = new BtcPayBody(await http.Request.JsonBody() ?? []);
        var url = body.Text("webhookUrl");
        Uri? target = null;
        if (url is not null && !Uri.TryCreate(url, UriKind.Absolute, out target))
        {
            body.Wrong("webhookUrl", "This must be an absolute URL");
        }

        var controls = world.Controls();
        controls = new BtcPayControls(
            (int?)body.Number("timeoutEvery") ?? controls.TimeoutEvery,
            (int?)body.Number("errorEvery") ?? controls.ErrorEvery,
            body.Truth("holdPayouts") ?? controls.HoldPayouts,
            body.Truth("cancelPayouts") ?? controls.CancelPayouts);
        var switches = Webhooks.ReadSwitches();
        switches = switches with
        {
            Hold = body.Truth("holdWebhooks") ?? switches.Hold,
            Drop = body.Truth("dropWebhooks") ?? switches.Drop,
            Copies = (int?)body.Number("duplicates") ?? switches.Copies,
            Shuffle = body.Truth("shuffleWebhooks") ?? switches.Shuffle,
        };
        if (body.Faults.Count > 0)
        {
            await BtcPayAnswer.Invalid(body.Faults).Write(http.Response);
            return;
        }

        world.Set(controls);
        Webhooks.Set(switches);
        if (target is not null)
        {
            SetWebhookUrl(target);
        }

        await Show(http);
    }

    private Task Show(HttpContext http)
    {
        var (controls, switches) = (world.Controls(), Webhooks.ReadSwitches());
        return http.Response.Json(new JsonObject
        {
            ["webhookUrl"] = Webhooks.Target(world.Hooks.Own())?.AbsoluteUri,
            ["timeoutEvery"] = controls.TimeoutEvery,
            ["errorEvery"] = controls.ErrorEvery,
            ["duplicates"] = switches.Copies,
            ["holdWebhooks"] = switches.Hold,
            ["waitingWebhooks"] = Webhooks.CountWaiting(),
            ["dropWebhooks"] = switches.Drop,
            ["shuffleWebhooks"] = switches.Shuffle,
            ["holdPayouts"] = controls.HoldPayouts,
            ["cancelPayouts"] = controls.CancelPayouts,
        });
    }
}
