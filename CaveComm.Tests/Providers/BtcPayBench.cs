using System.Net.Http.Headers;
using CaveComm.Domain;
using CaveComm.Domain.Payments;
using CaveComm.Providers.BtcPay;
using CaveComm.Sandbox.BtcPay;
using CaveComm.Sandbox.Storage;
using Microsoft.Extensions.Logging.Abstractions;
using GatewayOptions = CaveComm.Providers.BtcPayOptions;

namespace CaveComm.Tests.Providers;

internal sealed class BtcPayBench : ProviderBench
{
    private const string StoreId = "9kDnZ1store";

    private readonly SandboxStore store;
    private readonly BtcPayServer server;
    private readonly BtcPayGateway gateway;

    private BtcPayBench(DirectoryInfo folder, SandboxStore store, BtcPayServer server)
        : base(folder)
    {
        (this.store, this.server) = (store, server);
        Hand.BaseAddress = server.Url;
        Hand.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("token", Gateways.BtcPayKey);
        gateway = new BtcPayGateway(
            new GatewayOptions(server.Url, Gateways.BtcPayKey, StoreId, []) { Limits = new CaveComm.Providers.CallLimits { Timeout = Patience }, RetryPause = TimeSpan.FromMilliseconds(5) },
            TimeProvider.System,
            NullLogger<BtcPayGateway>.Instance,
            Wire);
    }

    public override IPaymentProvider Gateway => gateway;

    public static async Task<BtcPayBench> Open()
    {
        var folder = Directory.CreateTempSubdirectory("cavecomm-btcpay-");
        var store = new SandboxStore(Path.Combine(folder.FullName, "journal.jsonl"));
        var options = new BtcPayOptions
        {
            ApiKey = Gateways.BtcPayKey,
            StoreId = StoreId,
            WebhookSecret = "hook-secret",
            ConfirmAfter = TimeSpan.FromMilliseconds(50),
            PayoutStep = TimeSpan.FromMilliseconds(50),
        };
        return new BtcPayBench(folder, store, await BtcPayServer.Start(store, options, TimeProvider.System, Cancel));
    }

    public override async Task<int> CountInvoices(string key) =>
        (await Read($"api/v1/stores/{StoreId}/invoices?orderId={Uri.EscapeDataString(key)}")).AsArray().Count;

    public override async Task<int> CountPayouts(Guid commission) =>
        (await Read($"api/v1/stores/{StoreId}/payouts?includeCancelled=true")).AsArray()
            .Count(payout => (string?)payout!["metadata"]?["commissionId"] == commission.ToString());

    public override async Task<int> CountRefunds() => (await Read($"api/v1/stores/{StoreId}/pull-payments?includeArchived=true")).AsArray().Count;

    public override PayoutOrder Payout(string key, InvoiceSnapshot paid, Guid commission) =>
        new(key, commission, "art@wallet.example", new Money(paid.Payments[0].Received.Minor * 8 / 10, "BTC"), null);

    protected override async Task Stop()
    {
        gateway.Dispose();
        await server.DisposeAsync();
        store.Dispose();
    }
}
