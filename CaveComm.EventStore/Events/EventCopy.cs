using System.Buffers;
using System.Buffers.Binary;
using System.Text;

namespace CaveComm.EventStore;

/// <summary>Reads rows of <c>mt_events</c> from a binary COPY of <see cref="EventSql.Columns"/> or <see cref="EventSql.NarrowColumns"/>.</summary>
/// <remarks>
/// The general reader asks for each column by itself; this one walks over the bytes, and keeps one string of what is the same in most rows.
/// Format: https://www.postgresql.org/docs/15/sql-copy.html, "Binary Format".
/// </remarks>
internal sealed class EventCopy(Stream copy, bool isNarrow) : IDisposable
{
    private const int BufferSize = 256 * 1024;
    private const int HeaderSize = 19;
    private const int Most = 13;
    private static readonly DateTimeOffset PostgresEpoch = new(2000, 1, 1, 0, 0, 0, TimeSpan.Zero);
    private readonly FewStrings few = new();
    private readonly int columns = isNarrow ? 7 : Most;
    private readonly byte[] scrap = new byte[16];
    private byte[] buffer = ArrayPool<byte>.Shared.Rent(BufferSize);
    private int at;
    private int filled;
    private bool hasBegun;
    private bool isOver;

    /// <summary>The next rows; null when there are no more. It blocks: to await each row would cost more than to read it.</summary>
    public RawBatch? Read(CancellationToken cancel)
    {
        if (isOver)
            return null;
        var batch = new RawBatch(buffer);
        while (true)
        {
            while (!isOver && batch.Rows.Count < RawBatch.MostRows && TryRead(batch))
            {
            }

            if (isOver || batch.Rows.Count == RawBatch.MostRows || (filled == buffer.Length && batch.Rows.Count > 0))
                break;
            if (filled == buffer.Length)
                Grow(ref batch);
            cancel.ThrowIfCancellationRequested();
            var read = copy.Read(buffer.AsSpan(filled));
            if (read == 0)
                throw new EndOfStreamException("The copy of events ended in the middle of a row.");
            filled += read;
        }

        // Behind the trailer only the end follows; who reads it leaves a connection that can be used again.
        while (isOver && copy.Read(scrap) > 0)
        {
        }

        // What was read beyond the last whole row begins the next batch, in bytes of its own.
        var next = ArrayPool<byte>.Shared.Rent(Math.Max(BufferSize, filled - at));
        buffer.AsSpan(at, filled - at).CopyTo(next);
        (buffer, filled, at) = (next, filled - at, 0);
        if (batch.Rows.Count > 0)
            return batch;
        batch.Dispose();
        return null;
    }

    public void Dispose() => ArrayPool<byte>.Shared.Return(buffer);

    // One row that is larger than the whole buffer; no row points into it yet.
    private void Grow(ref RawBatch batch)
    {
        var larger = ArrayPool<byte>.Shared.Rent(2 * buffer.Length);
        buffer.AsSpan(at, filled - at).CopyTo(larger);
        batch.Dispose();
        (buffer, filled, at) = (larger, filled - at, 0);
        batch = new(buffer);
    }

    private bool TryRead(RawBatch batch)
    {
        var rest = buffer.AsSpan(at, filled - at);
        if (!hasBegun)
        {
            if (rest.Length < HeaderSize)
                return false;
            (hasBegun, at) = (true, at + HeaderSize);
            rest = rest[HeaderSize..];
        }

        if (rest.Length < 2)
            return false;
        if (BinaryPrimitives.ReadInt16BigEndian(rest) != columns)
        {
            isOver = true; // The trailer: -1 columns.
            return false;
        }

        Span<Range> fields = stackalloc Range[Most];
        var place = 2;
        for (var i = 0; i < columns; i++)
        {
            if (rest.Length < place + 4)
                return false;
            var length = BinaryPrimitives.ReadInt32BigEndian(rest[place..]);
            place += 4;
            if (length > 0 && rest.Length < place + length)
                return false;
            fields[i] = place..(place + Math.Max(0, length));
            if (length > 0)
                place += length;
            else if (length < 0)
                fields[i] = default;
        }

        batch.Rows.Add(Row(rest[..place], fields, buffer.AsMemory(at, place)));
        at += place;
        return true;
    }

    private RawEvent Row(ReadOnlySpan<byte> row, ReadOnlySpan<Range> fields, ReadOnlyMemory<byte> memory) => new()
    {
        Sequence = BinaryPrimitives.ReadInt64BigEndian(row[fields[0]]),
        Id = new Guid(row[fields[1]], bigEndian: true),
        StreamKey = Text(row, fields[2]),
        Version = BinaryPrimitives.ReadInt64BigEndian(row[fields[3]]),
        Data = Json(memory, fields[4]),
        Alias = few.Get(row[fields[5]]) ?? "",
        Timestamp = PostgresEpoch.AddTicks(BinaryPrimitives.ReadInt64BigEndian(row[fields[6]]) * TimeSpan.TicksPerMicrosecond),
        TenantId = few.Get(row[fields[7]]),
        DotNetTypeName = few.Get(row[fields[8]]),
        CorrelationId = Text(row, fields[9]),
        CausationId = Text(row, fields[10]),
        Headers = Json(memory, fields[11]),
        IsArchived = row[fields[12]] is [not 0],
        IsNarrow = isNarrow,
    };

    private static string? Text(ReadOnlySpan<byte> row, Range field) => field.Equals(default) ? null : Encoding.UTF8.GetString(row[field]);

    // The first byte is the version of jsonb's wire format.
    private static ReadOnlyMemory<byte> Json(ReadOnlyMemory<byte> row, Range field) => field.Equals(default) ? default : row[field][1..];

    /// <summary>Strings of which there are few: each is made once.</summary>
    private sealed class FewStrings
    {
        private const int MostStrings = 1000;
        private readonly Dictionary<int, string> known = [];

        public string? Get(ReadOnlySpan<byte> text)
        {
            if (text.IsEmpty)
                return null;
            var hash = new HashCode();
            hash.AddBytes(text);
            var key = hash.ToHashCode();
            if (known.TryGetValue(key, out var found) && found.Length == text.Length && Ascii.Equals(text, found))
                return found;
            var made = Encoding.UTF8.GetString(text);
            if (known.Count < MostStrings)
                known[key] = made;
            return made;
        }
    }
}
