using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using CaveComm.Sandbox.BtcPay;
using CaveComm.Sandbox.Storage;
using CaveComm.Sandbox.Webhooks;
using CaveComm.Tests.Support;
using Shouldly;

namespace CaveComm.Tests.Sandbox;

/// <summary>A BTCPay look-alike with its memory, somebody who calls it, and somebody who hears its webhooks.</summary>
internal sealed class BtcPayWorkshop : IAsyncDisposable
{
    public const string Secret = "hook-secret";
    public const string StoreId = "9kDnZ1store";
    private const string Key = "the-api-key";

    private readonly TestFolder folder = new();
    private readonly HttpClientHandler handler = new() { AllowAutoRedirect = false };
    private SandboxStore store = null!;
    private int port;

    public HttpClient Http { get; private set; } = null!;

    public BtcPayServer Server { get; private set; } = null!;

    public HookReceiver Hooks { get; private set; } = null!;

    private RetrySchedule Schedule { get; init; } = RetrySchedule.Sandbox;

    private TimeSpan ConfirmAfter { get; init; }

    /// <summary>The shop's clock runs, and can be put forward.</summary>
    public ShiftedTime Time { get; } = new();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public static async Task<BtcPayWorkshop> Open(RetrySchedule? schedule = null, TimeSpan? confirmAfter = null)
    {
        var workshop = new BtcPayWorkshop
        {
            Hooks = await HookReceiver.Start(),
            Schedule = schedule ?? RetrySchedule.Sandbox,
            ConfirmAfter = confirmAfter ?? TimeSpan.FromMilliseconds(400),
        };
        await workshop.Start();
        workshop.Server.SetWebhookUrl(workshop.Hooks.Url);
        return workshop;
    }

    public async Task Start()
    {
        store = new SandboxStore(folder["journal.jsonl"]);
        var options = new BtcPayOptions
        {
            Port = port,
            ApiKey = Key,
            StoreId = StoreId,
            WebhookSecret = Secret,
            WebhookSchedule = Schedule,
            ConfirmAfter = ConfirmAfter,
        };
        Server = await BtcPayServer.Start(store, options, Time, Cancel);
        port = Server.Url.Port;
        Http = new HttpClient(handler, disposeHandler: false) { BaseAddress = Server.Url };
        Http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("token", Key);
    }

    public async Task Stop()
    {
        await Server.DisposeAsync();
        Http.Dispose();
        store.Dispose();
    }

    public async ValueTask DisposeAsync()
    {
        await Stop();
        await Hooks.DisposeAsync();
        handler.Dispose();
        folder.Dispose();
    }

    /// <summary>Calls the store's API and gives back status and JSON (null for an empty answer).</summary>
    public async Task<(int Status, JsonNode? Body)> Call(HttpMethod method, string path, object? body = null)
    {
        using var request = new HttpRequestMessage(method, $"api/v1/stores/{StoreId}/{path}") { Content = body is null ? null : JsonContent.Create(body) };
        using var answer = await Http.SendAsync(request, Cancel);
        var text = await answer.Content.ReadAsStringAsync(Cancel);
        return ((int)answer.StatusCode, text.Length == 0 ? null : JsonNode.Parse(text));
    }

    public async Task<JsonNode> Ok(HttpMethod method, string path, object? body = null)
    {
        var (status, answer) = await Call(method, path, body);
        status.ShouldBe(200, answer?.ToJsonString());
        return answer ?? new JsonObject();
    }

    public Task<JsonNode> Invoice(string amount = "45.00", object? checkout = null, string order = "commission-42") =>
        Ok(HttpMethod.Post, "invoices", new { amount, currency = "EUR", metadata = new { orderId = order, itemDesc = "Portrait" }, checkout });

    public Task<JsonNode> Read(JsonNode invoice) => Ok(HttpMethod.Get, $"invoices/{Id(invoice)}");

    public async Task<JsonNode> UntilStatus(JsonNode invoice, string status)
    {
        var read = invoice;
        await Eventually.Holds($"the invoice is {status}", async () => (string?)(read = await Read(invoice))["status"] == status);
        return read;
    }

    /// <summary>Presses a button of the pay page.</summary>
    public async Task<JsonNode> Press(JsonNode invoice, string action, string method = "chain")
    {
        using var form = new FormUrlEncodedContent(new Dictionary<string, string> { ["action"] = action, ["method"] = method });
        using var request = new HttpRequestMessage(HttpMethod.Post, (string)invoice["checkoutLink"]!) { Content = form };
        request.Headers.Accept.ParseAdd("application/json");
        using var answer = await Http.SendAsync(request, Cancel);
        ((int)answer.StatusCode).ShouldBe(200);
        return JsonNode.Parse(await answer.Content.ReadAsStringAsync(Cancel))!;
    }

    public async Task Control(object wanted) => (await Http.PostAsJsonAsync("_control", wanted, Cancel)).EnsureSuccessStatusCode();

    /// <summary>Time goes on while the shop stands still, as over a restart.</summary>
    public sealed class ShiftedTime : TimeProvider
    {
        private TimeSpan ahead;

        public void Forward(TimeSpan by) => ahead += by;

        public override DateTimeOffset GetUtcNow() => base.GetUtcNow() + ahead;
    }

    public static string Id(JsonNode it) => (string)it["id"]!;

    public static string State(JsonNode invoice) => $"{invoice["status"]}/{invoice["additionalStatus"]}";
}
