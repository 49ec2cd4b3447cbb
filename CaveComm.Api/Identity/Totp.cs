using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace CaveComm.Api.Identity;

/// <summary>Codes of authenticator apps (RFC 6238 over RFC 4226): SHA-1, 30 seconds, 6 digits, which is what all of them know.</summary>
internal static class Totp
{
    public const int SeedBytes = 20;
    public const int Digits = 6;
    public const int StepSeconds = 30;

    private const string Alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

    public static long StepAt(DateTimeOffset at) => at.ToUnixTimeSeconds() / StepSeconds;

    [SuppressMessage("Security", "CA5350", Justification = "RFC 4226 wants SHA-1; HMAC does not rest on what is broken in it.")]
    public static string Code(ReadOnlySpan<byte> seed, long step, int digits = Digits)
    {
        Span<byte> counter = stackalloc byte[sizeof(long)];
        BinaryPrimitives.WriteInt64BigEndian(counter, step);
        Span<byte> hash = stackalloc byte[HMACSHA1.HashSizeInBytes];
        HMACSHA1.HashData(seed, counter, hash);
        var number = BinaryPrimitives.ReadUInt32BigEndian(hash[(hash[^1] & 0xf)..]) & 0x7fff_ffff;
        return (number % (uint)Math.Pow(10, digits)).ToString($"D{digits}", CultureInfo.InvariantCulture);
    }

    /// <summary>Clocks differ, and people type slowly: the step before and the one after are good, too.</summary>
    /// <returns>The step that the code belongs to; null when it is none of the three.</returns>
    public static long? StepOf(ReadOnlySpan<byte> seed, string code, DateTimeOffset now)
    {
        long? found = null;
        var typed = Encoding.UTF8.GetBytes(code);
        for (var step = StepAt(now) - 1; step <= StepAt(now) + 1; step++)
        {
            if (CryptographicOperations.FixedTimeEquals(Encoding.UTF8.GetBytes(Code(seed, step)), typed))
            {
                found = step;
            }
        }

        return found;
    }

    /// <summary>As apps take it: RFC 4648 without padding.</summary>
    public static string Base32(ReadOnlySpan<byte> bytes)
    {
        var text = new StringBuilder();
        var (buffer, bits) = (0, 0);
        foreach (var it in bytes)
        {
            (buffer, bits) = ((buffer << 8) | it, bits + 8);
            while (bits >= 5)
            {
                bits -= 5;
                text.Append(Alphabet[(buffer >> bits) & 31]);
            }

            buffer &= (1 << bits) - 1;
        }

        return bits > 0 ? text.Append(Alphabet[(buffer << (5 - bits)) & 31]).ToString() : text.ToString();
    }

    /// <summary>What the QR code says.</summary>
    public static string Address(string username, string secret) =>
        $"otpauth://totp/CaveComm:{Uri.EscapeDataString(username)}?secret={secret}&issuer=CaveComm&algorithm=SHA1&digits={Digits}&period={StepSeconds}";
}
