using CaveComm.Domain;
using CaveComm.Domain.Payments;
using CaveComm.Providers;
using CaveComm.Providers.BtcPay;
using CaveComm.Providers.Stripe;
using Microsoft.Extensions.Logging.Abstractions;

namespace CaveComm.Tests.Providers;

/// <summary>Gateways on a script, and one plain example of each order.</summary>
internal static class Gateways
{
    public const string StripeKey = "sk_test_cave";
    public const string BtcPayKey = "btcpay-api-key";

    public static readonly Guid Commission = Guid.Parse("0198a000-0000-7000-8000-000000000042");
    public static readonly Guid Customer = Guid.Parse("0198a000-0000-7000-8000-000000000017");

    public static readonly InvoiceOrder Order = new(
        "commission:42/invoice/1", Commission, Customer, "Ada L.", "ada@example.com", "Portrait, full colour", new Money(4500, "EUR"), "upFront", 7,
        new Uri("https://cave.example/customer/requests/42?token=secret"));

    public static readonly PayoutOrder StripePayout = new("commission:42/payout/1", Commission, "acct_1Artist42", new Money(3600, "EUR"), "ch_3Pay0001");

    public static readonly PayoutOrder BtcPayPayout = new("commission:42/payout/1", Commission, "art@wallet.example", new Money(65_000, "BTC"), null);

    public static StripeGateway Stripe(ScriptedProvider script, TimeProvider? clock = null) => Stripe(script.Handler(), clock);

    public static BtcPayGateway BtcPay(ScriptedProvider script) => BtcPay(script.Handler());

    public static StripeGateway Stripe(HttpMessageHandler handler, TimeProvider? clock = null, TimeSpan? timeout = null) => new(
        new StripeOptions(StripeKey, new Uri("http://stripe.test"), []) { RetryPause = TimeSpan.FromMilliseconds(1), Limits = new CallLimits { Timeout = timeout ?? TimeSpan.FromSeconds(20) } },
        clock ?? TimeProvider.System,
        NullLogger<StripeGateway>.Instance,
        handler);

    public static BtcPayGateway BtcPay(HttpMessageHandler handler) => new(
        new BtcPayOptions(new Uri("http://btcpay.test"), BtcPayKey, "9kDnZ1", []) { RetryPause = TimeSpan.FromMilliseconds(1) },
        TimeProvider.System,
        NullLogger<BtcPayGateway>.Instance,
        handler);
}
