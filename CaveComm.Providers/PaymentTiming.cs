namespace CaveComm.Providers;

/// <summary>The payment terms in the word that both providers' metadata use (contracts/stripe.md §5, contracts/btcpay.md §2).</summary>
internal static class PaymentTiming
{
    public static string Of(string paymentTerms) => paymentTerms switch
    {
        "upFront" => "upfront",
        "onDelivery" => "on_delivery",
        _ => paymentTerms,
    };
}
