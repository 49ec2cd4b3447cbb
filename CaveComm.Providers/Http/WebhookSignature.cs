using System.Security.Cryptography;
using System.Text;

namespace CaveComm.Providers.Http;

/// <summary>HMAC-SHA256 over raw bytes, compared in constant time against every secret that is valid at the moment.</summary>
internal static class WebhookSignature
{
    /// <param name="prefix">What is signed before the body.</param>
    /// <param name="hex">The signature that was sent.</param>
    public static bool Fits(IReadOnlyList<string> secrets, string prefix, ReadOnlySpan<byte> body, string hex)
    {
        Span<byte> told = stackalloc byte[HMACSHA256.HashSizeInBytes];
        if (hex.Length != 2 * HMACSHA256.HashSizeInBytes
            || Convert.FromHexString(hex, told, out _, out _) != System.Buffers.OperationStatus.Done)
        {
            return false;
        }

        Span<byte> expected = stackalloc byte[HMACSHA256.HashSizeInBytes];
        var fits = false;
        foreach (var secret in secrets)
        {
            using var hmac = IncrementalHash.CreateHMAC(HashAlgorithmName.SHA256, Encoding.UTF8.GetBytes(secret));
            hmac.AppendData(Encoding.ASCII.GetBytes(prefix));
            hmac.AppendData(body);
            hmac.GetHashAndReset(expected);
            fits |= CryptographicOperations.FixedTimeEquals(told, expected);
        }

        return fits;
    }
}
