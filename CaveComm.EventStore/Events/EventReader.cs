using System.Text.Json;
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

    private RecordedEvent Read(NpgsqlDataReader row)
    {
        var alias = row.GetString(5);
        var happened = options.Events.Read(alias, row.GetFieldValue<byte[]>(4), options.JsonSerializerOptions);
        happened.EventTypeName = alias;
        happened.Sequence = row.GetInt64(0);
        happened.Id = row.GetGuid(1);
        happened.StreamKey = row.IsDBNull(2) ? null : row.GetString(2);
        happened.Version = row.GetInt64(3);
        happened.Timestamp = row.GetFieldValue<DateTimeOffset>(6);
        happened.TenantId = row.IsDBNull(7) ? RecordedEvent.DefaultTenant : row.GetString(7);
        happened.DotNetTypeName = row.IsDBNull(8) ? "" : row.GetString(8);
        happened.CorrelationId = row.IsDBNull(9) ? null : row.GetString(9);
        happened.CausationId = row.IsDBNull(10) ? null : row.GetString(10);
        happened.Headers = row.IsDBNull(11) ? null : Headers(row.GetFieldValue<byte[]>(11));
        happened.IsArchived = !row.IsDBNull(12) && row.GetBoolean(12);
        return happened;
    }

    private static Dictionary<string, object>? Headers(byte[] json)
    {
        var stored = JsonSerializer.Deserialize<Dictionary<string, JsonElement>>(json);
        return stored?.Where(it => it.Value.ValueKind is not JsonValueKind.Null).ToDictionary(it => it.Key, it => Plain(it.Value));
    }

    private static object Plain(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.String => value.GetString()!,
        JsonValueKind.True => true,
        JsonValueKind.False => false,
        JsonValueKind.Number => value.TryGetInt64(out var whole) ? whole : value.GetDouble(),
        JsonValueKind.Undefined or JsonValueKind.Object or JsonValueKind.Array or JsonValueKind.Null => value,
    };
}
