using System.Globalization;

namespace CaveComm.Sandbox.Stripe.Wire;

/// <summary>Stripe's lower-case currency codes and how their smallest units are written.</summary>
internal static class Currency
{
    private static readonly HashSet<string> WithoutDecimals =
        ["bif", "clp", "djf", "gnf", "jpy", "kmf", "krw", "mga", "pyg", "rwf", "ugx", "vnd", "vuv", "xaf", "xof", "xpf"];

    private static readonly HashSet<string> WithThreeDecimals = ["bhd", "jod", "kwd", "omr", "tnd"];

    public static int Decimals(string currency) =>
        WithoutDecimals.Contains(currency) ? 0 : WithThreeDecimals.Contains(currency) ? 3 : 2;

    public static string Show(long amount, string currency)
    {
        var decimals = Decimals(currency);
        var value = amount / (decimal)Math.Pow(10, decimals);
        return $"{value.ToString("F" + decimals.ToString(CultureInfo.InvariantCulture), CultureInfo.InvariantCulture)} {currency.ToUpperInvariant()}";
    }

    /// <summary>Reads a currency parameter; three letters in either case.</summary>
    public static string? Read(StripeParameters parameters, string name) => parameters.Text(name)?.ToLowerInvariant() switch
    {
        null => null,
        { Length: 3 } code when code.All(char.IsAsciiLetterLower) => code,
        { } code => throw StripeFault.Parameter(parameters.Name(name), $"Invalid currency: {code}. It is a three-letter code, such as eur."),
    };

    /// <summary>The least that is charged, about half a euro.</summary>
    public static long Least(string currency) => Decimals(currency) switch { 0 => 50, 3 => 200, _ => 50 };
}
