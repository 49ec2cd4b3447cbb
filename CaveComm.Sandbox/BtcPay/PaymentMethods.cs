namespace CaveComm.Sandbox.BtcPay;

/// <summary>The payment method ids of BTCPay Server 2, and what version 1 called them.</summary>
internal static class PaymentMethods
{
    public const string Chain = "BTC-CHAIN";
    public const string Lightning = "BTC-LN";
    public const string LightningUrl = "BTC-LNURL";

    /// <returns>The name of version 2; null for what is none.</returns>
    public static string? Read(string? name) => name?.ToUpperInvariant() switch
    {
        "BTC-CHAIN" or "BTC" => Chain,
        "BTC-LN" or "BTC-LIGHTNINGNETWORK" => Lightning,
        "BTC-LNURL" or "BTC-LNURLPAY" => LightningUrl,
        _ => null,
    };
}
