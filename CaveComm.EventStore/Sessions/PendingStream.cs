using Npgsql;

namespace CaveComm.EventStore;

/// <summary>What a session will append to one stream.</summary>
internal sealed class PendingStream(string key)
{
    private readonly List<RecordedEvent> events = [];

    public string Key { get; } = key;

    /// <summary>The alias of the aggregate that the stream is the life of, where it is known.</summary>
    public string? AggregateAlias { get; set; }

    /// <summary>Whether the caller said that the stream is new, so that a collision is told as one.</summary>
    public bool Starts { get; set; }

    /// <summary>The version that the stream must have; null appends to any.</summary>
    public long? ExpectedVersion { get; set; }

    public IReadOnlyList<RecordedEvent> Events => events;

    public void Add(RecordedEvent happened) => events.Add(happened);

    public NpgsqlBatchCommand Command(EventSql sql, SaveContext context)
    {
        var (ids, data, types, dotNetTypes) = (new Guid[events.Count], new string[events.Count], new string[events.Count], new string[events.Count]);
        for (var i = 0; i < events.Count; i++)
        {
            var happened = events[i];
            happened.Timestamp = context.Now;
            happened.CorrelationId = context.CorrelationId;
            happened.CausationId = context.CausationId;
            happened.Headers = context.Headers is null ? null : new(context.Headers);
            (ids[i], data[i], types[i], dotNetTypes[i]) =
                (happened.Id, context.Json(happened.Data), happened.EventTypeName, happened.DotNetTypeName);
        }

        var isNew = Starts || ExpectedVersion == 0;
        var command = new NpgsqlBatchCommand(isNew ? sql.Start : ExpectedVersion is null ? sql.Append : sql.AppendExpecting)
        {
            Parameters =
            {
                Sql.Text(Key),
                Sql.OptionalText(AggregateAlias),
                Sql.Number(events.Count),
                Sql.Instant(context.Now),
                Sql.OptionalText(context.CorrelationId),
                Sql.OptionalText(context.CausationId),
                Sql.OptionalJson(context.HeadersJson),
                Sql.Ids(ids),
                Sql.Json(data),
                Sql.Texts(types),
                Sql.Texts(dotNetTypes),
            },
        };
        if (!isNew && ExpectedVersion is { } expected)
            command.Parameters.Add(Sql.Number(expected));
        return command;
    }

    public async Task ReadPositions(NpgsqlDataReader rows, CancellationToken cancel)
    {
        foreach (var happened in events)
        {
            await rows.ReadAsync(cancel);
            happened.Sequence = rows.GetInt64(0);
            happened.Version = rows.GetInt64(1);
        }
    }

    /// <summary>What an error of this stream's command means; null when it is not about the stream's version.</summary>
    public Exception? Translate(PostgresException error) => error switch
    {
        { SqlState: PostgresErrorCodes.NotNullViolation, TableName: "mt_events", ColumnName: "version" } => LostRace(error),
        { SqlState: PostgresErrorCodes.UniqueViolation, TableName: "mt_streams" } when Starts => new ExistingStreamIdCollisionException(Key, error),
        { SqlState: PostgresErrorCodes.UniqueViolation, TableName: "mt_streams" } => LostRace(error),
        { SqlState: PostgresErrorCodes.UniqueViolation, ConstraintName: "pk_mt_events_stream_and_version" } => LostRace(error),
        _ => null,
    };

    private EventStreamUnexpectedMaxEventIdException LostRace(PostgresException error) =>
        new($"Stream '{Key}' is not at version {ExpectedVersion}: another writer was first.", error);
}

/// <summary>What the events of one save have in common.</summary>
internal sealed record SaveContext(
    DateTimeOffset Now, string? CorrelationId, string? CausationId, Dictionary<string, object>? Headers, string? HeadersJson, Func<object, string> Json);
