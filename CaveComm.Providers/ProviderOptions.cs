using CaveComm.Providers.Http;

namespace CaveComm.Providers;

/// <summary>Stripe, from the section <c>Stripe</c>. Its text never shows a secret.</summary>
public sealed record StripeOptions(string ApiKey, Uri ApiBase, IReadOnlyList<string> WebhookSecrets)
{
    public CallLimits Limits { get; init; } = new();

    /// <summary>Before the first quick retry within a call; doubled for the second.</summary>
    public TimeSpan RetryPause { get; init; } = ProviderDefaults.RetryPause;

    public override string ToString() => $"Stripe at {ApiBase}";
}

/// <summary>BTCPay Server, from the section <c>BTCPay</c>.</summary>
/// <param name="Url">May hold a sub-path.</param>
public sealed record BtcPayOptions(Uri Url, string ApiKey, string StoreId, IReadOnlyList<string> WebhookSecrets)
{
    /// <summary>How long an invoice can be paid. Its rate is held so long: longer is kinder to a customer who reads the mail in the evening, and costs more when the rate falls.</summary>
    public int InvoiceExpirationMinutes { get; init; } = 1440;

    /// <summary>How long after expiry money is still noticed. BTCPay's own default is a day; late money must not be lost.</summary>
    public int MonitoringMinutes { get; init; } = 7 * 1440;

    public CallLimits Limits { get; init; } = new();

    public TimeSpan RetryPause { get; init; } = ProviderDefaults.RetryPause;

    public override string ToString() => $"BTCPay at {Url}";
}

/// <summary>The mail server, from the section <c>Smtp</c>.</summary>
public sealed record SmtpOptions(string Host, int Port, string From)
{
    public string? User { get; init; }

    public string? Password { get; init; }

    public SmtpSecurity Security { get; init; } = SmtpSecurity.StartTls;

    public CallLimits Limits { get; init; } = new();

    public override string ToString() => $"SMTP at {Host}:{Port}";
}

public enum SmtpSecurity
{
    None,
    StartTls,
}

/// <summary>The file store, from the section <c>Storage</c>.</summary>
public sealed record StorageOptions(string Path);
