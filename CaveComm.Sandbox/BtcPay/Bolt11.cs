using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.RegularExpressions;

namespace CaveComm.Sandbox.BtcPay;

/// <summary>Lightning invoices (BOLT 11). Well formed but for the signature, which is random: no node stands behind them.</summary>
/// <param name="Preimage">Lower hex. Who pays gets it; its SHA-256 is the payment hash.</param>
internal sealed partial record Bolt11(string Text, string PaymentHash, string Preimage)
{
    /// <param name="millisatoshi">0 leaves the amount to the payer.</param>
    public static Bolt11 New(long millisatoshi, string description, DateTimeOffset at, TimeSpan expiry)
    {
        var preimage = RandomNumberGenerator.GetBytes(32);
        var hash = SHA256.HashData(preimage);
        var told = Encoding.UTF8.GetBytes(description);
        byte[] words =
        [
            .. Number(at.ToUnixTimeSeconds(), 7),
            .. Field(1, Bech32.Words(hash)),
            .. Field(16, Bech32.Words(RandomNumberGenerator.GetBytes(32))),
            .. Field(13, Bech32.Words(told.AsSpan(0, Math.Min(told.Length, 600)).ToArray())),
            .. Field(6, Number((long)expiry.TotalSeconds, 6)),
            .. Bech32.Words(RandomNumberGenerator.GetBytes(65)),
        ];
        return new(Bech32.Encode("lnbcrt" + Amount(millisatoshi), words), Convert.ToHexStringLower(hash), Convert.ToHexStringLower(preimage));
    }

    public static bool LooksLikeOne(string text) => Head().IsMatch(text);

    /// <returns>In bitcoin; null when the invoice leaves it open.</returns>
    public static decimal? AmountOf(string text)
    {
        var head = Head().Match(text);
        if (!head.Groups["number"].Success)
        {
            return null;
        }

        var number = decimal.Parse(head.Groups["number"].Value, CultureInfo.InvariantCulture);
        return number * head.Groups["unit"].Value switch
        {
            "m" => 0.001m,
            "u" => 0.000001m,
            "n" => 0.000000001m,
            "p" => 0.000000000001m,
            _ => 1m,
        };
    }

    private static string Amount(long millisatoshi) =>
        millisatoshi == 0 ? "" : millisatoshi % 100 == 0 ? $"{millisatoshi / 100}n" : $"{millisatoshi * 10}p";

    private static IEnumerable<byte> Field(byte kind, IEnumerable<byte> words)
    {
        var all = words.ToList();
        return [kind, .. Number(all.Count, 2), .. all];
    }

    private static IEnumerable<byte> Number(long number, int words) =>
        Enumerable.Range(0, words).Select(at => (byte)((number >> (5 * (words - 1 - at))) & 31));

    [GeneratedRegex("^ln(bcrt|bc|tbs|tb)((?<number>[0-9]{1,18})(?<unit>[munp]?))?1[02-9ac-hj-np-z]{50,}$")]
    private static partial Regex Head();
}
