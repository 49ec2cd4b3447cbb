using System.Collections.Frozen;
using System.Globalization;

namespace CaveComm.Sandbox.BtcPay;

/// <summary>A market that stands still: the price of one bitcoin, so that a test can reckon.</summary>
internal static class BtcPayRates
{
    public const decimal Satoshi = 0.00000001m;

    private static readonly FrozenDictionary<string, (decimal Price, int Digits)> Table = new Dictionary<string, (decimal, int)>
    {
        ["BTC"] = (1m, 8),
        ["EUR"] = (64392.23m, 2),
        ["USD"] = (70123.45m, 2),
        ["GBP"] = (54880.10m, 2),
        ["CHF"] = (61774.90m, 2),
        ["JPY"] = (10534210m, 0),
        ["CAD"] = (96112.70m, 2),
        ["AUD"] = (106450.35m, 2),
        ["NZD"] = (116820.60m, 2),
        ["SEK"] = (722340.15m, 2),
        ["NOK"] = (751205.80m, 2),
        ["DKK"] = (480310.40m, 2),
        ["PLN"] = (275940.25m, 2),
        ["CZK"] = (1605880.75m, 2),
        ["HUF"] = (25641300.50m, 2),
        ["BRL"] = (381420.95m, 2),
        ["MXN"] = (1302750.30m, 2),
        ["INR"] = (5984300.20m, 2),
        ["CNY"] = (503190.65m, 2),
        ["KRW"] = (97450200m, 0),
        ["SGD"] = (90870.45m, 2),
        ["HKD"] = (547810.90m, 2),
        ["ZAR"] = (1248900.15m, 2),
        ["KWD"] = (21504.125m, 3),
        ["BHD"] = (26436.540m, 3),
    }.ToFrozenDictionary(StringComparer.Ordinal);

    public static bool Knows(string currency) => Table.ContainsKey(currency);

    /// <summary>The price of one bitcoin in this currency.</summary>
    public static decimal Price(string currency) => Table[currency].Price;

    public static int Digits(string currency) => Table[currency].Digits;

    /// <summary>Rounded up to the satoshi: a shop never asks for less than its price.</summary>
    public static decimal ToBitcoin(decimal amount, string currency) => decimal.Ceiling(amount / Price(currency) / Satoshi) * Satoshi;

    /// <summary>Rounded to the currency's digits.</summary>
    public static decimal FromBitcoin(decimal bitcoin, string currency) =>
        decimal.Round(bitcoin * Price(currency), Digits(currency), MidpointRounding.AwayFromZero);

    /// <returns>Null when there is no such market.</returns>
    public static decimal? Pair(string left, string right) =>
        Knows(left) && Knows(right) ? decimal.Round(Price(right) / Price(left), 10) : null;

    public static string Bitcoin(decimal amount) => amount.ToString("0.00000000", CultureInfo.InvariantCulture);

    public static string Plain(decimal amount) => amount.ToString(CultureInfo.InvariantCulture);
}
