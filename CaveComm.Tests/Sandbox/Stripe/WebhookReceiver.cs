using System.Collections.Concurrent;
using System.Net;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace CaveComm.Tests.Sandbox.Stripe;

/// <summary>A webhook endpoint that keeps what it gets and answers what it is told to.</summary>
internal sealed class WebhookReceiver : IAsyncDisposable
{
    private readonly WebApplication app;
    private readonly ConcurrentQueue<Received> received = [];
    private int refusals;

    private WebhookReceiver(WebApplication app) => this.app = app;

    public Uri Url => new(app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First() + "/hook");

    public IReadOnlyList<Received> All => [.. received];

    public IReadOnlyList<string> Types => [.. received.Where(it => it.Accepted).Select(it => it.Type)];

    public static async Task<WebhookReceiver> Start(int refusals = 0)
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0));
        var receiver = new WebhookReceiver(builder.Build()) { refusals = refusals };
        receiver.app.Run(receiver.Take);
        await receiver.app.StartAsync();
        return receiver;
    }

    public async ValueTask DisposeAsync()
    {
        await app.StopAsync();
        await app.DisposeAsync();
    }

    private async Task Take(HttpContext http)
    {
        using var reader = new StreamReader(http.Request.Body);
        var body = await reader.ReadToEndAsync(http.RequestAborted);
        var accepted = Interlocked.Decrement(ref refusals) < 0;
        received.Enqueue(new Received(body, http.Request.Headers["Stripe-Signature"].ToString(), accepted));
        http.Response.StatusCode = accepted ? 200 : 500;
    }

    internal sealed record Received(string Body, string Signature, bool Accepted)
    {
        public JsonObject Event => JsonNode.Parse(Body)!.AsObject();

        public string Type => (string)Event["type"]!;

        public string Id => (string)Event["id"]!;
    }
}
