using System.Security.Cryptography;

namespace CaveComm.Sandbox.BtcPay;

/// <summary>Bech32 (BIP 173), enough to write addresses and Lightning invoices that other programs can read.</summary>
internal static class Bech32
{
    private const string Letters = "qpzry9x8gf2tvdw0s3jn54khce6mua7l";

    /// <summary>An address of Bitcoin's test network that nobody has the key of.</summary>
    public static string NewAddress() => Encode("bcrt", [0, .. Words(RandomNumberGenerator.GetBytes(20))]);

    /// <param name="words">Five bits each.</param>
    public static string Encode(string prefix, IReadOnlyList<byte> words)
    {
        byte[] expanded = [.. prefix.Select(it => (byte)(it >> 5)), 0, .. prefix.Select(it => (byte)(it & 31)), .. words, 0, 0, 0, 0, 0, 0];
        var sum = Sum(expanded) ^ 1;
        var checksum = Enumerable.Range(0, 6).Select(at => (byte)((sum >> (5 * (5 - at))) & 31));
        return prefix + "1" + string.Concat(words.Concat(checksum).Select(it => Letters[it]));
    }

    /// <summary>Eight bits each into five bits each, filled up with zeros.</summary>
    public static IEnumerable<byte> Words(IEnumerable<byte> octets)
    {
        var (held, bits) = (0, 0);
        foreach (var octet in octets)
        {
            held = ((held << 8) | octet) & 0xfff;
            bits += 8;
            while (bits >= 5)
            {
                bits -= 5;
                yield return (byte)((held >> bits) & 31);
            }
        }

        if (bits > 0)
        {
            yield return (byte)((held << (5 - bits)) & 31);
        }
    }

    private static uint Sum(IEnumerable<byte> words)
    {
        uint[] generators = [0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd, 0x2a1462b3];
        var sum = 1u;
        foreach (var word in words)
        {
            var top = sum >> 25;
            sum = ((sum & 0x1ffffff) << 5) ^ word;
            for (var bit = 0; bit < 5; bit++)
            {
                sum ^= ((top >> bit) & 1) == 1 ? generators[bit] : 0;
            }
        }

        return sum;
    }
}
