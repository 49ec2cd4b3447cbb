using System.Buffers.Text;
using System.Security.Cryptography;

namespace CaveComm.EventStore;

/// <summary>Builds what an event's hash covers, as <see cref="HashChain"/> defines it, in one buffer for all events.</summary>
internal sealed class HashedContent
{
    /// <summary>PostgreSQL counts its microseconds from the year 2000.</summary>
    private const long MicrosecondsTo2000 = 946_684_800_000_000;

    private const int Numbers = 256; // More than all fields of fixed length, and the lengths of the others.

    private byte[] content = new byte[4096];
    private int length;

    /// <param name="timestamp">As PostgreSQL sends it in binary.</param>
    /// <param name="hash">Room for 64 hexadecimal digits.</param>
    public void Hash(
        ReadOnlySpan<byte> before, long timestamp, bool hasActor, ReadOnlySpan<byte> actor, ReadOnlySpan<byte> stream, Guid id, long version,
        ReadOnlySpan<byte> alias, ReadOnlySpan<byte> data, Span<byte> hash)
    {
        length = 0;
        var needed = before.Length + actor.Length + stream.Length + alias.Length + data.Length + Numbers;
        if (needed > content.Length)
            content = new byte[2 * needed];
        Add(before);
        Add("\n"u8);
        Add(timestamp + MicrosecondsTo2000);
        Add("\n"u8);
        if (hasActor)
            AddMeasured(actor);
        else
            Add("-"u8);
        Add("\n"u8);
        AddMeasured(stream);
        Add("\n"u8);
        Utf8Formatter.TryFormat(id, content.AsSpan(length), out var written);
        length += written;
        Add("\n"u8);
        Add(version);
        Add("\n"u8);
        AddMeasured(alias);
        Add("\n"u8);
        Add(data);

        Span<byte> digest = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(content.AsSpan(0, length), digest);
        Convert.TryToHexStringLower(digest, hash, out _);
    }

    private void AddMeasured(ReadOnlySpan<byte> text)
    {
        Add((long)text.Length);
        Add(":"u8);
        Add(text);
    }

    private void Add(long number)
    {
        Utf8Formatter.TryFormat(number, content.AsSpan(length), out var written);
        length += written;
    }

    private void Add(ReadOnlySpan<byte> bytes)
    {
        bytes.CopyTo(content.AsSpan(length));
        length += bytes.Length;
    }
}
