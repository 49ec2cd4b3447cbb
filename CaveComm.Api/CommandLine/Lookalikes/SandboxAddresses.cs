namespace CaveComm.Api.CommandLine.Lookalikes;

/// <summary>Where the look-alikes listen and with which keys; as <c>sandbox.json</c> it tells products beside a running sandbox.</summary>
internal sealed record SandboxAddresses(
    string StripeUrl,
    string StripeApiKey,
    string StripeWebhookSecret,
    string BtcPayUrl,
    string BtcPayApiKey,
    string BtcPayStoreId,
    string BtcPayWebhookSecret,
    string MailUrl,
    string SmtpHost,
    int SmtpPort)
{
    /// <summary>Where a product says that webhooks should come to it, and the key for that. Null when product and sandbox are one process.</summary>
    public SandboxControlAddress? Control { get; init; }
}

internal sealed record SandboxControlAddress(Uri Url, string Key);
