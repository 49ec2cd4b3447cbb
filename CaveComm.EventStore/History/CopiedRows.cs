using System.Buffers.Binary;

namespace CaveComm.EventStore;

/// <summary>The rows of a <c>copy … to stdout (format binary)</c>, one at a time, with no object made of any.</summary>
internal sealed class CopiedRows(Stream copy, int columns) : IAsyncDisposable
{
    private const int HeaderLength = 19; // A signature, flags, and the length of an extension, which there is none of.

    private readonly (int Start, int Length)[] fields = new (int, int)[columns];
    private byte[] buffer = new byte[256 * 1024];
    private int position;
    private int end;
    private bool begun;

    /// <summary>Goes to the next row; false behind the last.</summary>
    public async ValueTask<bool> Next(CancellationToken cancel)
    {
        if (!begun)
        {
            await Fill(HeaderLength, cancel);
            (position, begun) = (HeaderLength, true);
        }

        while (true)
        {
            var (length, isEnd) = Row();
            if (length > end - position)
            {
                await Fill(length, cancel);
                continue;
            }

            position += length;
            if (isEnd)
                await copy.CopyToAsync(Stream.Null, cancel); // Until the server has said that it is done.
            return !isEnd;
        }
    }

    public bool IsNull(int column) => fields[column].Length < 0;

    /// <summary>A field of this row; it is overwritten by the next.</summary>
    public ReadOnlySpan<byte> Bytes(int column) => IsNull(column) ? default : buffer.AsSpan(fields[column].Start, fields[column].Length);

    public long Number(int column) => BinaryPrimitives.ReadInt64BigEndian(Bytes(column));

    public Guid Id(int column) => new(Bytes(column), bigEndian: true);

    public ValueTask DisposeAsync() => copy.DisposeAsync();

    /// <summary>Finds the fields of the row at the position; where the row is not whole, the length is what must be there to say more.</summary>
    private (int Length, bool IsEnd) Row()
    {
        var at = position + sizeof(short);
        if (at > end)
            return (sizeof(short), false);
        if (BinaryPrimitives.ReadInt16BigEndian(buffer.AsSpan(position)) < 0)
            return (sizeof(short), true);
        for (var column = 0; column < fields.Length; column++)
        {
            if (at + sizeof(int) > end)
                return (at + sizeof(int) - position, false);
            var length = BinaryPrimitives.ReadInt32BigEndian(buffer.AsSpan(at));
            at += sizeof(int);
            fields[column] = (at, length);
            at += Math.Max(0, length);
        }

        return (at - position, false);
    }

    private async Task Fill(int needed, CancellationToken cancel)
    {
        var target = needed <= buffer.Length ? buffer : new byte[Math.Max(needed, 2 * buffer.Length)];
        Buffer.BlockCopy(buffer, position, target, 0, end - position);
        (buffer, position, end) = (target, 0, end - position);
        end += await copy.ReadAtLeastAsync(buffer.AsMemory(end), needed - end, cancellationToken: cancel);
    }
}
