using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;

namespace CaveComm.Api.Http.Idempotency;

/// <summary>What a body said, as a hash: two bodies with one print are the same request. A form's print passes over its boundary and its antiforgery token.</summary>
internal sealed class BodyPrint : IDisposable
{
    private readonly IncrementalHash parts = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);

    private BodyPrint(string kind) => Append(Encoding.ASCII.GetBytes(kind));

    /// <summary>Null until the whole body is known: an upload passes by piece by piece.</summary>
    public byte[]? Value { get; private set; }

    public static BodyPrint OfBytes(ReadOnlySpan<byte> body)
    {
        var print = new BodyPrint("bytes");
        print.Append(body);
        print.End();
        return print;
    }

    public static BodyPrint OfForm(IEnumerable<KeyValuePair<string, string>> fields)
    {
        var print = new BodyPrint("form");
        foreach (var (name, value) in fields.Where(it => it.Key != Antiforgery.FieldName))
        {
            print.AddPart(name, null, SHA256.HashData(Encoding.UTF8.GetBytes(value)));
        }

        print.End();
        return print;
    }

    /// <summary>Of a multipart form that is being read: <see cref="MultipartUpload"/> tells it the parts as they pass.</summary>
    public static BodyPrint OfUpload() => new("upload");

    public void AddPart(string name, string? fileName, ReadOnlySpan<byte> sha256)
    {
        Append(Encoding.UTF8.GetBytes(name));
        Append(fileName is null ? [0] : [1, .. Encoding.UTF8.GetBytes(fileName)]);
        Append(sha256);
    }

    public void End() => Value = parts.GetHashAndReset();

    public void Dispose() => parts.Dispose();

    // With its length before it, so that no two lists of parts read alike.
    private void Append(ReadOnlySpan<byte> bytes)
    {
        Span<byte> length = stackalloc byte[4];
        BinaryPrimitives.WriteInt32BigEndian(length, bytes.Length);
        parts.AppendData(length);
        parts.AppendData(bytes);
    }
}
