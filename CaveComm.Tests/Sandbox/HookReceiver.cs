using System.Collections.Concurrent;
using System.Text.Json.Nodes;
using CaveComm.Sandbox.Http;
using CaveComm.Tests.Support;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;

namespace CaveComm.Tests.Sandbox;

/// <summary>A webhook that was received.</summary>
internal sealed record ReceivedHook(string Raw, string Signature)
{
    public JsonNode Body { get; } = JsonNode.Parse(Raw)!;

    public string Type => (string)Body["type"]!;
}

/// <summary>Stands where the product's webhook endpoint would be.</summary>
internal sealed class HookReceiver : IAsyncDisposable
{
    private readonly ConcurrentQueue<ReceivedHook> received = new();
    private WebApplication web = null!;

    public Uri Url => new(web.Url(), "webhooks/btcpay");

    public Uri Root => web.Url();

    /// <summary>Answers to the next posts; after them 200.</summary>
    public ConcurrentQueue<int> Answers { get; } = new();

    public IReadOnlyList<ReceivedHook> All => [.. received];

    public IEnumerable<string> Types => All.Select(it => it.Type);

    public static async Task<HookReceiver> Start(int port = 0)
    {
        var receiver = new HookReceiver();
        receiver.web = await LoopbackWeb.Start(
            port,
            app => app.MapPost("/webhooks/btcpay", (RequestDelegate)receiver.Receive),
            TestContext.Current.CancellationToken);
        return receiver;
    }

    /// <summary>Waits until that many have come, or all of these.</summary>
    public async Task<IReadOnlyList<ReceivedHook>> Until(Func<IReadOnlyList<ReceivedHook>, bool> enough)
    {
        await Eventually.Holds("the webhooks have come", () => enough(All));
        return All;
    }

    public async ValueTask DisposeAsync()
    {
        await web.StopAsync();
        await web.DisposeAsync();
    }

    private async Task Receive(HttpContext http)
    {
        using var reader = new StreamReader(http.Request.Body);
        received.Enqueue(new ReceivedHook(await reader.ReadToEndAsync(http.RequestAborted), http.Request.Headers["BTCPay-Sig"].ToString()));
        http.Response.StatusCode = Answers.TryDequeue(out var status) ? status : StatusCodes.Status200OK;
    }
}
