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

    private RecordedEvent Read(NpgsqlDataReader row)
    {
        var alias = row.GetString(5);
        var happened = options.Events.Read(alias, Data(row, 4), options.JsonSerializerOptions);
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
