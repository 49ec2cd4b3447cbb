using CaveComm.Domain;

namespace CaveComm.Providers.Stripe;

/// <summary>Our minor units and Stripe's, which differ for a few currencies.</summary>
/// <remarks>
/// Stripe counts ISK and UGX in hundredths (which must come out whole) and MGA in whole ariary, and takes three-decimal currencies only in
/// steps of ten (https://docs.stripe.com/currencies, zero-decimal and special cases).
/// </remarks>
internal static class StripeMoney
{
    /// <returns>Null when Stripe cannot express the sum.</returns>
    public static long? ToStripe(Money money)
    {
        switch (money.Currency)
        {
            case "BTC":
                return null;
            case "ISK" or "UGX":
                return checked(money.Minor * 100);
            case "MGA":
                return money.Minor % 100 == 0 ? money.Minor / 100 : null;
            default:
                return Currencies.Digits(money.Currency) == 3 && money.Minor % 10 != 0 ? null : money.Minor;
        }
    }

    public static Money FromStripe(long amount, string currency)
    {
        var code = currency.ToUpperInvariant();
        return new(code switch { "ISK" or "UGX" => amount / 100, "MGA" => checked(amount * 100), _ => amount }, code);
    }

    // Stripe writes currency codes in small letters.
    public static string Code(Money money) => string.Create(money.Currency.Length, money.Currency, (into, code) => code.AsSpan().ToLowerInvariant(into));
}
