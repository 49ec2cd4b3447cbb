using System.Globalization;
using CaveComm.Domain;

namespace CaveComm.Providers.BtcPay;

/// <summary>Decimal amounts, as BTCPay writes them in whatever scale, and our minor units.</summary>
internal static class BtcPayMoney
{
    /// <summary>To the nearest minor unit, halves away from zero.</summary>
    public static Money Minor(decimal amount, string currency)
    {
        var scale = (decimal)Math.Pow(10, Currencies.Digits(currency));
        return new Money(decimal.ToInt64(decimal.Round(amount * scale, MidpointRounding.AwayFromZero)), currency);
    }

    public static Money Satoshi(decimal coins) => Minor(coins, "BTC");

    public static string Coins(Money bitcoin) => (bitcoin.Minor / 100_000_000m).ToString("0.00000000", CultureInfo.InvariantCulture);
}
