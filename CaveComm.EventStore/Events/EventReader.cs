using System.Text;
using Npgsql;

namespace CaveComm.EventStore;

/// <summary>Turns rows of <c>mt_events</c>, in the column order of <see cref="EventSql"/>, into events.</summary>
internal sealed class EventReader(StoreOptions options)
{
    public async Task<List<IEvent>> ReadAll(NpgsqlDataReader rows, CancellationToken cancel)
    {
        var events = new List<IEvent>();
        while (await rows.ReadAsync(cancel))
            events.Add(Read(rows));
        return events;
    }

    /// <summary>Rows of <see cref="EventSql.History"/>, whatever their events are.</summary>
    public static async Task<List<StoredEvent>> ReadStored(NpgsqlDataReader rows, CancellationToken cancel)
    {
        var events = new List<StoredEvent>();
        while (await rows.ReadAsync(cancel))
        {
            events.Add(new(
                rows.GetInt64(0), rows.GetGuid(1), Text(rows, 2) ?? "", rows.GetInt64(3), rows.GetString(5), rows.GetFieldValue<DateTimeOffset>(6),
                Text(rows, 7), Text(rows, 8), Text(rows, 9), Text(rows, 10), Text(rows, 11), Encoding.UTF8.GetString(Data(rows, 4))));
        }

        return events;
    }

    /// <summary>Every stored event's data passes here on its way to who reads it.</summary>
    private static byte[] Data(NpgsqlDataReader row, int column) => row.GetFieldValue<byte[]>(column);

    private static string? Text(NpgsqlDataReader row, int column) => row.IsDBNull(column) ? null : row.GetString(column);

    /// <summary>The events of some rows. Whatever they need from elsewhere to become readable is fetched here, once for all of them.</summary>
    public ValueTask<IEvent[]> Decode(IReadOnlyList<RawEvent> rows, CancellationToken cancel)
    {
        cancel.ThrowIfCancellationRequested();
        var events = new IEvent[rows.Count];
        for (var i = 0; i < events.Length; i++)
            events[i] = Decode(rows[i]);
        return ValueTask.FromResult(events);
    }

    private RecordedEvent Decode(RawEvent row)
    {
        var happened = Open(row.Alias, row.Data.Span);
        happened.EventTypeName = row.Alias;
        happened.Sequence = row.Sequence;
        happened.Id = row.Id;
        happened.StreamKey = row.StreamKey;
        happened.Version = row.Version;
        happened.Timestamp = row.Timestamp;
        happened.IsNarrow = row.IsNarrow;
        if (row.IsNarrow)
            return happened;

        happened.TenantId = row.TenantId ?? RecordedEvent.DefaultTenant;
        happened.DotNetTypeName = row.DotNetTypeName ?? "";
        happened.CorrelationId = row.CorrelationId;
        happened.CausationId = row.CausationId;
        if (!row.Headers.IsEmpty)
            happened.HeadersFrom(row.Headers.ToArray());
        happened.IsArchived = row.IsArchived;
        return happened;
    }

    /// <summary>The record of stored data. All data passes here before anybody sees it.</summary>
    private RecordedEvent Open(string alias, ReadOnlySpan<byte> data) => options.Events.Read(alias, data, options.JsonSerializerOptions);

    private RecordedEvent Read(NpgsqlDataReader row)
    {
        var alias = row.GetString(5);
        var happened = Open(alias, row.GetFieldValue<byte[]>(4));
        happened.EventTypeName = alias;
        happened.Sequence = row.GetInt64(0);
        happened.Id = row.GetGuid(1);
        happened.StreamKey = Text(row, 2);
        happened.Version = row.GetInt64(3);
        happened.Timestamp = row.GetFieldValue<DateTimeOffset>(6);
        happened.TenantId = row.IsDBNull(7) ? RecordedEvent.DefaultTenant : row.GetString(7);
        happened.DotNetTypeName = row.IsDBNull(8) ? "" : row.GetString(8);
        happened.CorrelationId = Text(row, 9);
        happened.CausationId = Text(row, 10);
        if (!row.IsDBNull(11))
            happened.HeadersFrom(row.GetFieldValue<byte[]>(11));
        happened.IsArchived = !row.IsDBNull(12) && row.GetBoolean(12);
        return happened;
    }
}
