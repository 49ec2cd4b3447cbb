using System.Globalization;
using System.Net.Mail;
using Microsoft.Extensions.Configuration;

namespace CaveComm.Providers;

/// <summary>What the configuration says of the outside parties. A party whose settings are missing or wrong is null, and its faults are listed.</summary>
/// <param name="Missing">What a whole configuration would have besides, one sentence for each setting, without any value.</param>
public sealed record ProviderSettings(
    StripeOptions? Stripe, BtcPayOptions? BtcPay, SmtpOptions? Smtp, StorageOptions? Storage, IReadOnlyList<string> Missing)
{
    /// <summary>Reads <c>Stripe</c>, <c>BTCPay</c>, <c>Smtp</c> and <c>Storage</c>; any setting may stand in a file that <c>{setting}_FILE</c> names.</summary>
    /// <remarks><c>Stripe:Enabled=false</c> or <c>BTCPay:Enabled=false</c> says that a payment provider is not wanted, and nothing of it is missed.</remarks>
    public static ProviderSettings Read(IConfiguration configuration)
    {
        var missing = new List<string>();
        return new ProviderSettings(
            ReadStripe(new Section(configuration, "Stripe", missing)),
            ReadBtcPay(new Section(configuration, "BTCPay", missing)),
            ReadSmtp(new Section(configuration, "Smtp", missing)),
            ReadStorage(new Section(configuration, "Storage", missing)),
            missing);
    }

    private static StripeOptions? ReadStripe(Section section)
    {
        if (!section.IsWanted)
        {
            return null;
        }

        var (key, secrets) = (section.Required("ApiKey"), section.RequiredList("WebhookSecrets"));
        var url = section.Url("ApiBase", new Uri("https://api.stripe.com"));
        var limits = section.Limits();
        return section.IsWhole ? new StripeOptions(key!, url!, secrets) { Limits = limits } : null;
    }

    private static BtcPayOptions? ReadBtcPay(Section section)
    {
        if (!section.IsWanted)
        {
            return null;
        }

        var url = section.Url("Url", null);
        var (key, store, secrets) = (section.Required("ApiKey"), section.Required("StoreId"), section.RequiredList("WebhookSecrets"));
        var (expiration, monitoring) = (section.Whole("InvoiceExpirationMinutes", 1, 525_600), section.Whole("MonitoringMinutes", 1, 525_600));
        var limits = section.Limits();
        if (!section.IsWhole)
        {
            return null;
        }

        var options = new BtcPayOptions(url!, key!, store!, secrets) { Limits = limits };
        return options with
        {
            InvoiceExpirationMinutes = expiration ?? options.InvoiceExpirationMinutes,
            MonitoringMinutes = monitoring ?? options.MonitoringMinutes,
        };
    }

    private static SmtpOptions? ReadSmtp(Section section)
    {
        var (host, from, user, password) = (section.Required("Host"), section.Required("From"), section.Optional("User"), section.Optional("Password"));
        if (from is not null && !MailAddress.TryCreate(from, out _))
        {
            section.Fault("From", "is no mail address");
        }

        var security = section.Optional("Security") switch
        {
            // A relay on this very machine seldom has a certificate, and nobody listens in between.
            null => host is "localhost" or "127.0.0.1" or "::1" ? SmtpSecurity.None : SmtpSecurity.StartTls,
            var text when Enum.TryParse<SmtpSecurity>(text, ignoreCase: true, out var known) && Enum.IsDefined(known) => known,
            _ => Wrong(),
        };
        var port = section.Whole("Port", 1, 65_535);
        var limits = section.Limits();
        return section.IsWhole
            ? new SmtpOptions(host!, port ?? 587, from!)
            {
                User = user,
                Password = password,
                Security = security,
                Limits = limits,
            }
            : null;

        SmtpSecurity Wrong()
        {
            section.Fault("Security", "is neither None nor StartTls");
            return SmtpSecurity.StartTls;
        }
    }

    private static StorageOptions? ReadStorage(Section section) => section.Required("Path") is { } path ? new StorageOptions(path) : null;

    /// <summary>One section, with the faults found while it is read.</summary>
    private sealed class Section(IConfiguration configuration, string name, List<string> missing)
    {
        public bool IsWhole { get; private set; } = true;

        public bool IsWanted => !string.Equals(configuration[$"{name}:Enabled"], "false", StringComparison.OrdinalIgnoreCase);

        public void Fault(string key, string what)
        {
            IsWhole = false;
            missing.Add($"{name}:{key} {what}.");
        }

        public string? Optional(string key)
        {
            var value = configuration[$"{name}:{key}"];
            if (string.IsNullOrWhiteSpace(value) && configuration[$"{name}:{key}_FILE"] is { Length: > 0 } path)
            {
                try
                {
                    value = File.ReadAllText(path);
                }
                catch (Exception unreadable) when (unreadable is IOException or UnauthorizedAccessException)
                {
                    Fault($"{key}_FILE", "names a file that cannot be read");
                    return null;
                }
            }

            return string.IsNullOrWhiteSpace(value) ? null : value.Trim();
        }

        public string? Required(string key)
        {
            var faults = missing.Count;
            var value = Optional(key);
            if (value is null && missing.Count == faults)
            {
                Fault(key, $"is missing (or {key}_FILE, the name of a file that holds it)");
            }

            return value;
        }

        /// <summary>Separated by commas or lines, or an array of the configuration.</summary>
        public IReadOnlyList<string> RequiredList(string key)
        {
            List<string> listed = [.. configuration.GetSection($"{name}:{key}").GetChildren().Select(child => child.Value?.Trim() ?? "").Where(value => value != "")];
            return listed.Count > 0
                ? listed
                : Required(key)?.Split([',', '\n'], StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries) ?? [];
        }

        public Uri? Url(string key, Uri? otherwise)
        {
            var text = otherwise is null ? Required(key) : Optional(key);
            if (text is null)
            {
                return otherwise;
            }

            if (Uri.TryCreate(text, UriKind.Absolute, out var url) && url.Scheme is "http" or "https")
            {
                return url;
            }

            Fault(key, "is no http or https address");
            return null;
        }

        public int? Whole(string key, int least, int most)
        {
            if (Optional(key) is not { } text)
            {
                return null;
            }

            if (int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number >= least && number <= most)
            {
                return number;
            }

            Fault(key, $"is no number from {least} to {most}");
            return null;
        }

        public CallLimits Limits()
        {
            var usual = new CallLimits();
            return new CallLimits
            {
                Timeout = Seconds("TimeoutSeconds", 600) ?? usual.Timeout,
                MostCalls = Whole("MostCalls", 1, 1_000) ?? usual.MostCalls,
                Pause = Seconds("PauseSeconds", 300) ?? usual.Pause,
            };
        }

        private TimeSpan? Seconds(string key, int most) => Whole(key, 1, most) is { } seconds ? TimeSpan.FromSeconds(seconds) : null;
    }
}
