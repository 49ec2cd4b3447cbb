using System.Globalization;
using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using CaveComm.Api.Identity;
using Microsoft.IdentityModel.Tokens;

namespace CaveComm.Api.CommandLine.Events;

/// <summary>The last line of a sealed head list: it answers for all lines before it.</summary>
/// <param name="Count">How many heads.</param>
/// <param name="Sha256">Of all bytes before this line, in lower-case hex.</param>
/// <param name="At">When it was sealed.</param>
/// <param name="Signature">ES256 over <see cref="Signed"/>, as in a JWS: base64url of the two numbers.</param>
/// <param name="KeyId">The JWK thumbprint of the installation's signing key.</param>
/// <param name="PublicKey">That key's public half as PEM, for whoever checks the signature with tools of their own.</param>
internal sealed record SealLine(long Count, string Sha256, string At, string Signature, string KeyId, string PublicKey)
{
    /// <summary>What is signed. Its first line says what it is, so that the signature can pass for nothing else.</summary>
    public static byte[] Signed(long count, string sha256, string at) => Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"cavecomm-seal\n{count}\n{sha256}\n{at}"));
}

/// <summary>A signed list of stream heads: kept elsewhere, it shows later whether history was rewritten, even by somebody who recomputed every hash.</summary>
internal static class Seal
{
    private const int LongestLastLine = 64 * 1024;

    private static readonly byte[] NewLine = "\n"u8.ToArray();

    /// <returns>How many heads were written.</returns>
    public static async Task<long> Write(
        IAsyncEnumerable<StreamHead> heads, ISigningKeys keys, DateTimeOffset now, Stream output, Action<long> written, CancellationToken cancel)
    {
        using var digest = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var count = 0L;
        await foreach (var head in heads.WithCancellation(cancel))
        {
            var line = JsonSerializer.SerializeToUtf8Bytes(new HeadLine(head.StreamKey, head.Version, head.Hash), Http.Json.Options);
            digest.AppendData(line);
            digest.AppendData(NewLine);
            await output.WriteAsync(line, cancel);
            await output.WriteAsync(NewLine, cancel);
            written(++count);
        }

        var sha256 = Convert.ToHexStringLower(digest.GetHashAndReset());
        var at = now.UtcDateTime.ToString("yyyy-MM-ddTHH:mm:ss.fffZ", CultureInfo.InvariantCulture);
        var key = (ECDsaSecurityKey)keys.Current.Key;
        var signature = Base64UrlEncoder.Encode(key.ECDsa.SignData(SealLine.Signed(count, sha256, at), HashAlgorithmName.SHA256));
        var last = new SealLine(count, sha256, at, signature, key.KeyId, key.ECDsa.ExportSubjectPublicKeyInfoPem());
        await output.WriteAsync(JsonSerializer.SerializeToUtf8Bytes(last, Http.Json.Options), cancel);
        await output.WriteAsync(NewLine, cancel);
        return count;
    }

    /// <summary>Checks the file itself: digest, signature, and that the key is one of this installation.</summary>
    /// <returns>What the last line says, and how many bytes stand before it.</returns>
    /// <exception cref="CommandFailure">It is no seal, it was changed, or another installation made it.</exception>
    public static async Task<(SealLine Line, long Length)> Check(FileStream file, ISigningKeys keys, CancellationToken cancel)
    {
        var (line, length) = await LastLine(file, cancel);
        file.Position = 0;
        var sha256 = Convert.ToHexStringLower(await SHA256.HashDataAsync(new HeadOfStream(file, length), cancel));
        if (sha256 != line.Sha256)
        {
            throw new CommandFailure($"{file.Name} is not what was sealed: its content does not fit the digest in its last line.");
        }

        var key = keys.Kept.OfType<ECDsaSecurityKey>().FirstOrDefault(it => it.KeyId == line.KeyId) ?? throw new CommandFailure(
            $"{file.Name} was sealed with the key {line.KeyId}, which is not one of this installation. Without it the seal proves nothing here.");
        return key.ECDsa.VerifyData(SealLine.Signed(line.Count, line.Sha256, line.At), SignatureOf(line), HashAlgorithmName.SHA256)
            ? (line, length)
            : throw new CommandFailure($"{file.Name} carries a signature that does not fit: it was changed after it was sealed.");
    }

    /// <summary>The heads, after <see cref="Check"/>.</summary>
    public static async IAsyncEnumerable<StreamHead> Heads(FileStream file, long length, Action<long> read, [EnumeratorCancellation] CancellationToken cancel)
    {
        file.Position = 0;
        using var reader = new StreamReader(new HeadOfStream(file, length), Encoding.UTF8);
        var count = 0L;
        while (await reader.ReadLineAsync(cancel) is { } line)
        {
            var head = JsonSerializer.Deserialize<HeadLine>(line, Http.Json.Options)!;
            yield return new StreamHead(head.Stream, head.Version, head.Hash);
            read(++count);
        }
    }

    private static async Task<(SealLine Line, long Length)> LastLine(FileStream file, CancellationToken cancel)
    {
        var tail = new byte[Math.Min(file.Length, LongestLastLine)];
        file.Position = file.Length - tail.Length;
        await file.ReadExactlyAsync(tail, cancel);
        var end = tail is [.., (byte)'\n'] ? tail.Length - 1 : -1;
        var begin = end < 0 ? -1 : tail.AsSpan(0, end).LastIndexOf((byte)'\n') + 1;
        try
        {
            if (begin >= 0 && JsonSerializer.Deserialize<SealLine>(tail.AsSpan(begin, end - begin), Http.Json.Options) is { } line)
            {
                return (line, file.Length - tail.Length + begin);
            }
        }
        catch (JsonException)
        {
            // Told below, like a missing last line.
        }

        throw new CommandFailure($"{file.Name} does not end with a seal: it is another file, or it was cut off.");
    }

    private static byte[] SignatureOf(SealLine line)
    {
        try
        {
            return Base64UrlEncoder.DecodeBytes(line.Signature);
        }
        catch (FormatException)
        {
            return [];
        }
    }

    private sealed record HeadLine(string Stream, long Version, string? Hash);
}
