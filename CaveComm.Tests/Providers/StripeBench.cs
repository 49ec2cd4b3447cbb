using System.Net.Http.Headers;
using CaveComm.Domain.Payments;
using CaveComm.Providers;
using CaveComm.Providers.Stripe;
using CaveComm.Sandbox.Storage;
using CaveComm.Sandbox.Stripe;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.Logging.Abstractions;

namespace CaveComm.Tests.Providers;

internal sealed class StripeBench : ProviderBench
{
    private const string Account = "acct_1Artist42";

    private readonly SandboxStore store;
    private readonly WebApplication server;
    private readonly StripeGateway gateway;

    private StripeBench(DirectoryInfo folder, SandboxStore store, WebApplication server)
        : base(folder)
    {
        (this.store, this.server) = (store, server);
        Hand.BaseAddress = StripeServer.Address(server);
        Hand.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", Gateways.StripeKey);
        gateway = new StripeGateway(
            new StripeOptions(Gateways.StripeKey, Hand.BaseAddress, []) { Limits = new CallLimits { Timeout = Patience }, RetryPause = TimeSpan.FromMilliseconds(5) },
            TimeProvider.System,
            NullLogger<StripeGateway>.Instance,
            Wire);
    }

    public override IPaymentProvider Gateway => gateway;

    public IInvoiceLookup Lookup => gateway;

    public static async Task<StripeBench> Open()
    {
        var folder = Directory.CreateTempSubdirectory("cavecomm-stripe-");
        var store = new SandboxStore(Path.Combine(folder.FullName, "journal.jsonl"));
        var server = StripeServer.Build(
            store,
            new StripeServerOptions(Gateways.StripeKey, "whsec_test") { PayoutTakes = TimeSpan.FromMilliseconds(50) },
            TimeProvider.System);
        await server.StartAsync(Cancel);
        StripeServer.SeedAccount(server, Account);
        return new StripeBench(folder, store, server);
    }

    public override async Task<int> CountInvoices(string key) =>
        (await Read("v1/invoices?limit=100"))["data"]!.AsArray().Count(invoice => (string?)invoice!["metadata"]?["order_key"] == key);

    public override async Task<int> CountPayouts(Guid commission)
    {
        var transfers = (await Read($"v1/transfers?limit=100&transfer_group=commission_{commission}"))["data"]!.AsArray();
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(Hand.BaseAddress!, "v1/payouts?limit=100"));
        request.Headers.Add("Stripe-Account", Account);
        using var answer = await Hand.SendAsync(request, Cancel);
        var listed = System.Text.Json.Nodes.JsonNode.Parse(await answer.Content.ReadAsStringAsync(Cancel))!["data"]!.AsArray();
        var payouts = listed.Count(payout => (string?)payout!["metadata"]?["commission_id"] == commission.ToString());
        return Math.Max(transfers.Count, payouts);
    }

    public override async Task<int> CountRefunds() => (await Read("v1/refunds?limit=100"))["data"]!.AsArray().Count;

    /// <summary>Money that lies on the freelancer's account, so that something can be taken back from there.</summary>
    public async Task TopUp(long minor)
    {
        using var form = new FormUrlEncodedContent([new("amount", $"{minor}"), new("currency", "eur"), new("destination", Account)]);
        using var answer = await Hand.PostAsync(new Uri(Hand.BaseAddress!, "v1/transfers"), form, Cancel);
        answer.EnsureSuccessStatusCode();
    }

    public override PayoutOrder Payout(string key, InvoiceSnapshot paid, Guid commission) =>
        new(key, commission, Account, paid.Amount with { Minor = paid.Amount.Minor * 8 / 10 }, paid.Payments[0].Charge);

    protected override async Task Stop()
    {
        gateway.Dispose();
        await server.StopAsync();
        await server.DisposeAsync();
        store.Dispose();
    }
}
