using System.Globalization;
using System.Text.Json;
using CaveComm.Domain;
using CaveComm.Domain.Payments;
using CaveComm.Providers.Http;

namespace CaveComm.Providers.BtcPay;

/// <summary>Decimal amounts, as BTCPay writes them in whatever scale, and our minor units.</summary>
internal static class BtcPayMoney
{
    /// <summary>There are no more satoshi than this, and no invoice over more of anything: sums of such amounts still fit.</summary>
    private const long Most = 2_100_000_000_000_000;

    /// <summary>To the nearest minor unit, halves away from zero.</summary>
    /// <exception cref="ProviderFaultException">Nobody can have paid, or asked for, so much.</exception>
    public static Money Minor(decimal amount, string currency)
    {
        var scale = (decimal)Math.Pow(10, Currencies.Digits(currency));
        return Math.Abs(amount) <= Most / scale
            ? new Money(decimal.ToInt64(decimal.Round(amount * scale, MidpointRounding.AwayFromZero)), currency)
            : throw new ProviderFaultException(BtcPayGateway.ProviderName, $"{amount.ToString(CultureInfo.InvariantCulture)} {currency} is more than there can be.");
    }

    /// <summary>A number that the provider names; zero where it names none.</summary>
    /// <exception cref="ProviderFaultException">It is none, or too great for one.</exception>
    public static decimal Told(JsonElement it, string name) => it.Text(name) is not { } text
        ? 0
        : it.Number(name) ?? throw new ProviderFaultException(BtcPayGateway.ProviderName, $"{name} is \u201c{(text.Length > 40 ? text[..40] : text)}\u201d, which is no amount.");

    /// <summary>What coins are worth.</summary>
    /// <exception cref="ProviderFaultException">It is more than can be counted.</exception>
    public static decimal Worth(decimal coins, decimal rate)
    {
        try
        {
            return coins * rate;
        }
        catch (OverflowException tooMuch)
        {
            throw new ProviderFaultException(BtcPayGateway.ProviderName, $"{coins.ToString(CultureInfo.InvariantCulture)} BTC at {rate.ToString(CultureInfo.InvariantCulture)} is more than can be counted.", tooMuch);
        }
    }

    public static Money Satoshi(decimal coins) => Minor(coins, "BTC");

    public static string Coins(Money bitcoin) => (bitcoin.Minor / 100_000_000m).ToString("0.00000000", CultureInfo.InvariantCulture);
}
