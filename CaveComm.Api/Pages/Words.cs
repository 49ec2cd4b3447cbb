using System.Globalization;
using CaveComm.Domain.Commissions;
using CaveComm.Domain.Payments;

namespace CaveComm.Api.Pages;

/// <summary>How pages say what JSON says in its own words.</summary>
internal static class Words
{
    public static string Terms(PaymentTerms terms) => terms switch
    {
        PaymentTerms.UpFront => "Paid up front",
        PaymentTerms.OnDelivery => "Paid on delivery",
    };

    public static string Provider(string provider) => provider switch
    {
        PaymentProviders.Stripe => "Card or bank (Stripe)",
        PaymentProviders.BtcPay => "Bitcoin (BTCPay)",
        PaymentProviders.Manual => "By hand",
        _ => provider,
    };

    /// <summary>The provider's own name, as it stands inside a sentence.</summary>
    public static string ProviderName(string provider) => provider == PaymentProviders.Stripe ? "Stripe" : "BTCPay";

    public static IEnumerable<(string Value, string Text)> TermsOptions { get; } =
        [("upFront", "Up front, before the work begins"), ("onDelivery", "On delivery, when the work is done")];

    public static IEnumerable<(string Value, string Text)> Providers(IEnumerable<string> names) => names.Select(name => (name, Provider(name)));

    /// <summary>A file's size in the units that people know, such as <c>1.4 MB</c>.</summary>
    public static string Size(long bytes)
    {
        string[] units = ["kB", "MB", "GB", "TB"];
        if (bytes < 1000)
        {
            return bytes == 1 ? "1 byte" : $"{bytes} bytes";
        }

        var (value, unit) = (bytes / 1000m, 0);
        while (value >= 1000 && unit < units.Length - 1)
        {
            (value, unit) = (value / 1000, unit + 1);
        }

        return string.Create(CultureInfo.InvariantCulture, $"{value:0.#} {units[unit]}");
    }
}
