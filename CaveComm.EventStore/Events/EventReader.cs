using System.Text;
using System.Text.Json;
using Npgsql;

namespace CaveComm.EventStore;

/// <summary>Turns rows of <c>mt_events</c>, in the column order of <see cref="EventSql"/>, into events. All stored data passes <see cref="Open"/> on its way.</summary>
internal sealed class EventReader(StoreOptions options, PersonalKeys personal)
{
    public Task<List<IEvent>> ReadAll(NpgsqlDataReader rows, CancellationToken cancel) => ReadAll(rows, keysOn: null, cancel);

    /// <summary>Reads to the end and closes the rows: who waits for a connection of the pool, to ask for keys, must not keep another one from those who wait too.</summary>
    /// <param name="keysOn">The connection to ask for keys on, where the caller holds one, or holds up those who have the pool's; null for one of the pool.</param>
    public async Task<List<IEvent>> ReadAll(NpgsqlDataReader rows, NpgsqlConnection? keysOn, CancellationToken cancel)
    {
        var events = new List<IEvent>();
        while (await rows.ReadAsync(cancel))
            events.Add(Read(rows));
        await rows.CloseAsync();
        await OpenSealed(events, keysOn, cancel);
        return events;
    }

    /// <summary>Rows of <see cref="EventSql.Fold"/> or <see cref="EventSql.FoldForWriting"/>: narrow events, sealed ones not opened yet, and the hash of the last one where it was asked for and is there.</summary>
    public async Task<(List<IEvent> Events, string? Hash)> ReadToFold(NpgsqlDataReader rows, string streamKey, bool withHash, CancellationToken cancel)
    {
        var (events, hash) = (new List<IEvent>(), (string?)null);
        while (await rows.ReadAsync(cancel))
        {
            var happened = ReadNarrow(rows, streamKey);
            happened.IsNarrow = true;
            events.Add(happened);
            hash = withHash ? Text(rows, 7) : null;
        }

        return (events, hash);
    }

    /// <summary>Rows of <see cref="EventSql.History"/>, whatever their events are.</summary>
    public async Task<List<StoredEvent>> ReadStored(NpgsqlDataReader rows, CancellationToken cancel)
    {
        var (events, data) = (new List<StoredEvent>(), new List<byte[]>());
        while (await rows.ReadAsync(cancel))
        {
            data.Add(rows.GetFieldValue<byte[]>(4));
            events.Add(new(
                rows.GetInt64(0), rows.GetGuid(1), Text(rows, 2) ?? "", rows.GetInt64(3), rows.GetString(5), rows.GetFieldValue<DateTimeOffset>(6),
                Text(rows, 7), Text(rows, 8), Text(rows, 9), Text(rows, 10), Text(rows, 11), Data: ""));
        }

        using var opening = await PersonalOpening.Of(personal, data.Where(it => SealedText.Occurs(it)), keysOn: null, cancel);
        for (var i = 0; i < events.Count; i++)
            events[i] = events[i] with { Data = Legible(data[i], events[i].Id, opening) };
        return events;
    }

    /// <summary>The events of some rows.</summary>
    /// <param name="keysOn">The connection to ask for keys on.</param>
    public async ValueTask<IEvent[]> Decode(IReadOnlyList<RawEvent> rows, NpgsqlConnection keysOn, CancellationToken cancel)
    {
        cancel.ThrowIfCancellationRequested();
        var events = new IEvent[rows.Count];
        for (var i = 0; i < events.Length; i++)
            events[i] = Decode(rows[i]);
        await OpenSealed(events, keysOn, cancel);
        return events;
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

    private RecordedEvent Read(NpgsqlDataReader row)
    {
        var happened = ReadNarrow(row, Text(row, 2));
        happened.TenantId = row.IsDBNull(7) ? RecordedEvent.DefaultTenant : row.GetString(7);
        happened.DotNetTypeName = row.IsDBNull(8) ? "" : row.GetString(8);
        happened.CorrelationId = Text(row, 9);
        happened.CausationId = Text(row, 10);
        if (!row.IsDBNull(11))
            happened.HeadersFrom(row.GetFieldValue<byte[]>(11));
        happened.IsArchived = !row.IsDBNull(12) && row.GetBoolean(12);
        return happened;
    }

    private RecordedEvent ReadNarrow(NpgsqlDataReader row, string? streamKey)
    {
        var alias = row.GetString(5);
        var happened = row.IsDBNull(4) ? new PassedByEvent() : Open(alias, row.GetFieldValue<byte[]>(4));
        happened.EventTypeName = alias;
        happened.Sequence = row.GetInt64(0);
        happened.Id = row.GetGuid(1);
        happened.StreamKey = streamKey;
        happened.Version = row.GetInt64(3);
        happened.Timestamp = row.GetFieldValue<DateTimeOffset>(6);
        return happened;
    }

    /// <summary>The record of stored data; what holds sealed texts waits for <see cref="OpenSealed"/>.</summary>
    private RecordedEvent Open(string alias, ReadOnlySpan<byte> data) =>
        SealedText.Occurs(data) ? new SealedEvent(data.ToArray()) : options.Events.Read(alias, data, options.JsonSerializerOptions);

    /// <summary>Puts opened events in the place of those that hold sealed texts, with all keys of the page from one query.</summary>
    /// <param name="keysOn">The connection to ask for keys on; null for one of the pool, when the caller holds none.</param>
    public async ValueTask OpenSealed(IList<IEvent> events, NpgsqlConnection? keysOn, CancellationToken cancel)
    {
        List<SealedEvent>? sealedOnes = null;
        foreach (var happened in events)
        {
            if (happened is SealedEvent closed)
                (sealedOnes ??= []).Add(closed);
        }

        if (sealedOnes is null)
            return;
        using var opening = await PersonalOpening.Of(personal, sealedOnes.Select(it => it.Json), keysOn, cancel);
        for (var i = 0; i < events.Count; i++)
        {
            if (events[i] is SealedEvent closed)
                events[i] = Opened(closed, opening);
        }
    }

    private RecordedEvent Opened(SealedEvent closed, PersonalOpening opening)
    {
        RecordedEvent happened;
        try
        {
            happened = options.Events.Read(closed.EventTypeName, opening.Open(closed.Json, closed.Id), options.JsonSerializerOptions);
        }
        catch (JsonException unfit)
        {
            happened = options.Events.Unreadable(closed.EventTypeName, unfit);
        }

        happened.TakeEnvelope(closed);
        return happened;
    }

    // What cannot be opened is shown as it is stored: an auditor must see the rest of the log all the same.
    private static string Legible(byte[] data, Guid eventId, PersonalOpening opening)
    {
        try
        {
            return Encoding.UTF8.GetString(SealedText.Occurs(data) ? opening.Open(data, eventId) : data);
        }
        catch (JsonException)
        {
            return Encoding.UTF8.GetString(data);
        }
    }

    private static string? Text(NpgsqlDataReader row, int column) => row.IsDBNull(column) ? null : row.GetString(column);
}
