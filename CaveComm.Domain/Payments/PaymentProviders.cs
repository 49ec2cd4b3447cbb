namespace CaveComm.Domain.Payments;

/// <summary>The names of the payment providers, as URLs and events spell them.</summary>
public static class PaymentProviders
{
    public const string Stripe = "stripe";

    public const string BtcPay = "btcpay";

    /// <summary>Not a provider of invoices: a payout that the freelancer settles by hand.</summary>
    public const string Manual = "manual";

    public static IReadOnlyList<string> Invoicing { get; } = [Stripe, BtcPay];
}
