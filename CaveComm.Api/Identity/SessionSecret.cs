using System.Buffers.Text;
using System.Security.Cryptography;

namespace CaveComm.Api.Identity;

/// <summary>A refresh token or code: the session's id, so that it is found, and 256 random bits, of which only the digest is kept.</summary>
internal static class SessionSecret
{
    private const int IdBytes = 16;
    private const int RandomBytes = 32;
    private const int Characters = (IdBytes + RandomBytes) / 3 * 4;

    public static (string Secret, string Digest) Make(Guid session)
    {
        var bytes = new byte[IdBytes + RandomBytes];
        session.TryWriteBytes(bytes, bigEndian: true, out _);
        RandomNumberGenerator.Fill(bytes.AsSpan(IdBytes));
        return (Base64Url.EncodeToString(bytes), Digest(bytes));
    }

    /// <returns>Null when it has not the shape of one.</returns>
    public static (Guid Session, string Digest)? Read(string? secret)
    {
        if (secret is not { Length: Characters } || !Base64Url.IsValid(secret))
        {
            return null;
        }

        var bytes = Base64Url.DecodeFromChars(secret);
        return bytes.Length == IdBytes + RandomBytes ? (new Guid(bytes.AsSpan(0, IdBytes), bigEndian: true), Digest(bytes)) : null;
    }

    private static string Digest(byte[] bytes) => Convert.ToHexStringLower(SHA256.HashData(bytes.AsSpan(IdBytes)));
}
