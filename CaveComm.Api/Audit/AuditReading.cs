using System.Text.Json;
using CaveComm.Domain.Commissions;
using CaveComm.Domain.Freelancers;
using CaveComm.Domain.Identity;
using Npgsql;

namespace CaveComm.Api.Audit;

/// <summary>Reads the log for auditors. It writes nothing.</summary>
internal sealed class AuditReading(IEventHistory history, IDocumentStore store, NpgsqlDataSource database)
{
    private const int MostAlike = 10;

    /// <summary>What a stream of this kind folds to. The others have no state: each of their events stands for itself.</summary>
    private static readonly Dictionary<string, Func<IQuerySession, string, long, CancellationToken, Task<object?>>> States = new(StringComparer.Ordinal)
    {
        ["commission"] = Fold<Commission>,
        ["freelancer"] = Fold<Freelancer>,
        ["slots"] = Fold<Slots>,
        ["account"] = Fold<Account>,
    };

    public IAsyncEnumerable<StoredEvent> Read(EventFilter filter, CancellationToken cancel) => history.Read(filter, cancel);

    /// <summary>The version of a stream now; null when there is none.</summary>
    public async Task<long?> VersionOf(string key, CancellationToken cancel)
    {
        await using var session = store.QuerySession();
        return (await session.Events.FetchStreamStateAsync(key, cancel))?.Version;
    }

    /// <summary>A stream's story.</summary>
    /// <param name="version">The last version to tell; null for all.</param>
    /// <param name="at">Only what was recorded up to then; null for all.</param>
    public async Task<AuditedStream> Stream(string key, long? version, DateTimeOffset? at, CancellationToken cancel)
    {
        await using var session = store.QuerySession();
        var known = (await session.Events.FetchStreamAsync(key, version ?? 0, at, token: cancel)).ToDictionary(it => it.Version);
        var events = new List<AuditedEvent>();
        await foreach (var stored in history.Read(new EventFilter(Stream: key, To: at), cancel))
        {
            if (stored.Version <= (version ?? long.MaxValue))
            {
                events.Add(Told(stored, DataOf(known.GetValueOrDefault(stored.Version))));
            }
        }

        var last = events.Count == 0 ? 0 : events[^1].Version;
        return new AuditedStream(key, last, last == 0 ? null : await StateOf(session, key, last, cancel), events);
    }

    /// <summary>The newest events of the log, newest first.</summary>
    public async Task<IReadOnlyList<AuditedEvent>> Newest(int count, CancellationToken cancel)
    {
        var end = await End(cancel);
        var events = new List<AuditedEvent>();
        await foreach (var stored in history.Read(new EventFilter(After: Math.Max(0, end - count)), cancel))
        {
            events.Add(Told(stored, null));
        }

        events.Reverse();
        return events.Count > count ? events[..count] : events;
    }

    /// <summary>The end of the log as it stands.</summary>
    public async Task<long> End(CancellationToken cancel)
    {
        await using var command = database.CreateCommand("select coalesce(max(seq_id), 0) from mt_events");
        return (long)(await command.ExecuteScalarAsync(cancel))!;
    }

    /// <summary>Streams whose keys begin as this one does, as far as any do.</summary>
    public async Task<IReadOnlyList<string>> Alike(string key, CancellationToken cancel)
    {
        // The end is shortened until something is found; what remains last is the kind.
        var kind = key.IndexOf(':', StringComparison.Ordinal) + 1;
        for (var length = key.Length; length > 0; length = length > kind ? kind + ((length - kind) / 2) : length / 2)
        {
            await using var command = database.CreateCommand("select id from mt_streams where id ^@ $1 order by id limit $2");
            command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = key[..length] });
            command.Parameters.Add(new NpgsqlParameter<int> { TypedValue = MostAlike });
            await using var rows = await command.ExecuteReaderAsync(cancel);
            var alike = new List<string>();
            while (await rows.ReadAsync(cancel))
            {
                alike.Add(rows.GetString(0));
            }

            if (alike.Count > 0)
            {
                return alike;
            }
        }

        return [];
    }

    /// <summary>Why there is nothing to show, with streams that may have been meant.</summary>
    public async Task<string> NoSuchStream(string key, CancellationToken cancel) => await Alike(key, cancel) is { Count: > 0 } alike
        ? $"There is no stream '{key}'. These begin alike: {string.Join(", ", alike)}."
        : $"There is no stream '{key}'.";

    private static AuditedEvent Told(StoredEvent it, object? happened) => new(
        it.Sequence, it.Id, it.StreamKey, it.Version, it.Type, it.Timestamp, it.Actor, it.CorrelationId, it.CausationId, it.Hash, it.PreviousHash,
        JsonSerializer.Deserialize<JsonElement>(it.Data), EventWords.Of(it, happened));

    private static async Task<object?> Fold<TState>(IQuerySession session, string key, long version, CancellationToken cancel)
        where TState : class => await session.Events.AggregateStreamAsync<TState>(key, version, token: cancel);

    // Its stored data does not fit its type any more: then the JSON has to speak for itself.
    private static object? DataOf(IEvent? happened)
    {
        try
        {
            return happened?.Data;
        }
        catch (EventUnreadableException)
        {
            return null;
        }
    }

    private static async Task<object?> StateOf(IQuerySession session, string key, long version, CancellationToken cancel)
    {
        if (!States.TryGetValue(key.Split(':', 2)[0], out var fold))
        {
            return null;
        }

        try
        {
            return await fold(session, key, version, cancel);
        }
        catch (Exception unfoldable) when (unfoldable is EventUnreadableException or UnknownEventTypeException)
        {
            return null; // Decisions on this stream would fail; an auditor still sees its events.
        }
    }
}
