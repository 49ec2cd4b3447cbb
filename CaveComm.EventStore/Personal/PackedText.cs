using System.Buffers.Binary;
using System.IO.Compression;

namespace CaveComm.EventStore;

/// <summary>Long texts are made shorter before they are sealed: what is sealed cannot be compressed any more, neither by the database nor by a backup.</summary>
/// <remarks>The length of the text (four bytes, the lowest first), then the text in UTF-8 as Brotli has it.</remarks>
internal static class PackedText
{
    // Below that it saves less than it costs.
    private const int Least = 256;
    private const int LengthSize = sizeof(int);

    // A webhook's few kilobytes take some microseconds so, and become hardly longer than with more effort.
    private const int Effort = 1;
    private const int Window = 16;

    /// <returns>Null when it would not be shorter.</returns>
    public static byte[]? Pack(ReadOnlySpan<byte> text)
    {
        if (text.Length < Least)
            return null;
        var packed = new byte[text.Length - (text.Length / 8)];
        if (!BrotliEncoder.TryCompress(text, packed.AsSpan(LengthSize), out var written, Effort, Window))
            return null;
        BinaryPrimitives.WriteInt32LittleEndian(packed, text.Length);
        return packed[..(LengthSize + written)];
    }

    /// <exception cref="FormatException">It was not packed here.</exception>
    public static byte[] Unpack(ReadOnlySpan<byte> packed)
    {
        var length = packed.Length >= LengthSize ? BinaryPrimitives.ReadInt32LittleEndian(packed) : -1;
        var text = new byte[length >= 0 ? length : throw new FormatException("There is no length.")];
        return BrotliDecoder.TryDecompress(packed[LengthSize..], text, out var written) && written == length
            ? text
            : throw new FormatException("It does not unpack to its length.");
    }
}
