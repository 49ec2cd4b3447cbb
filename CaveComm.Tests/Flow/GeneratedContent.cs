using System.Buffers.Binary;
using System.Net;
using System.Net.Http.Headers;
using System.Security.Cryptography;

namespace CaveComm.Tests.Flow;

/// <summary>A file of any size that is made while it is sent. Every byte follows from its position.</summary>
internal sealed class GeneratedContent : HttpContent
{
    private const int BlockSize = 64 * 1024;

    private static readonly byte[] Pattern = Enumerable.Range(0, BlockSize).Select(i => (byte)(i * 131 + (i >> 8) * 17)).ToArray();

    private readonly long size;

    public GeneratedContent(long size)
    {
        this.size = size;
        Headers.ContentType = new MediaTypeHeaderValue("application/octet-stream");
    }

    /// <summary>Of what was sent; null until all was.</summary>
    public string? Sha256 { get; private set; }

    public static byte[] Bytes(long from, int count)
    {
        var bytes = new byte[count];
        var block = new byte[BlockSize];
        for (var at = 0; at < count;)
        {
            Fill(block, (from + at) / BlockSize);
            var offset = (int)((from + at) % BlockSize);
            var some = Math.Min(BlockSize - offset, count - at);
            block.AsSpan(offset, some).CopyTo(bytes.AsSpan(at));
            at += some;
        }

        return bytes;
    }

    protected override bool TryComputeLength(out long length)
    {
        length = size;
        return true;
    }

    protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var block = new byte[BlockSize];
        for (long at = 0; at < size; at += BlockSize)
        {
            Fill(block, at / BlockSize);
            var some = (int)Math.Min(BlockSize, size - at);
            hash.AppendData(block, 0, some);
            await stream.WriteAsync(block.AsMemory(0, some));
        }

        Sha256 = Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    // No two blocks are alike, so none can be lost or change places unseen.
    private static void Fill(byte[] block, long number)
    {
        Pattern.CopyTo(block, 0);
        BinaryPrimitives.WriteInt64LittleEndian(block, number);
    }
}
