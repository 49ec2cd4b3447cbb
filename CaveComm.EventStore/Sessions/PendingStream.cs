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

    /// <summary>The hash of the event at <see cref="ExpectedVersion"/>, empty where it has none; null when nobody has read it.</summary>
    public string? HashBefore { get; set; }

    public IReadOnlyList<RecordedEvent> Events => events;

    public void Add(RecordedEvent happened) => events.Add(happened);

    /// <summary>The commands of the append, which stand or fall together.</summary>
    public NpgsqlBatchCommand[] Commands(EventSql sql, SaveContext context)
    {
        foreach (var happened in events)
        {
            happened.Timestamp = context.Now;
            happened.CorrelationId = context.CorrelationId;
            happened.CausationId = context.CausationId;
            if (context.HeadersJson is not null)
                happened.HeadersFrom(context.HeadersJson);
        }

        if (IsNew)
            return [Row(sql.InsertStream, context), events.Count == 1 ? One(sql.StartOne, 1, context) : Many(sql.StartMany, context)];
        if (ExpectedVersion is not { } expected)
        {
            var append = Many(sql.AppendMany, context);
            append.Parameters.Add(Sql.Number(events.Count));
            return [Row(sql.UpsertStream, context), append];
        }

        var one = events.Count == 1;
        var command = one ? One(sql.ExpectOne, expected + 1, context) : Many(sql.ExpectMany, context);
        command.Parameters.Add(Sql.Number(expected));
        command.Parameters.Add(Sql.OptionalText(AggregateAlias));
        if (!one)
            command.Parameters.Add(Sql.Number(events.Count));
        return [command];
    }

    public async Task ReadPositions(NpgsqlDataReader rows, CancellationToken cancel)
    {
        await rows.ReadAsync(cancel);
        var isOne = events.Count == 1 && (IsNew || ExpectedVersion is not null);
        long[] sequences = isOne ? [rows.GetInt64(0)] : rows.GetFieldValue<long[]>(0);
        var first = IsNew ? 1 : ExpectedVersion + 1 ?? rows.GetInt64(1);
        for (var i = 0; i < events.Count; i++)
            (events[i].Sequence, events[i].Version) = (sequences[i], first + i);
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

    private bool IsNew => Starts || ExpectedVersion == 0;

    private EventStreamUnexpectedMaxEventIdException LostRace(PostgresException error) =>
        new($"Stream '{Key}' is not at version {ExpectedVersion}: another writer was first.", error);

    private NpgsqlBatchCommand Row(string sql, SaveContext context) => new(sql)
    {
        Parameters = { Sql.Text(Key), Sql.OptionalText(AggregateAlias), Sql.Instant(context.Now), Sql.Number(events.Count) },
    };

    private NpgsqlBatchCommand Begin(string sql, SaveContext context) => new(sql)
    {
        Parameters =
        {
            Sql.Text(Key),
            Sql.OptionalText(IsNew ? "" : HashBefore),
            Sql.Instant(context.Now),
            Sql.OptionalText(context.CorrelationId),
            Sql.OptionalText(context.CausationId),
            Sql.Texts(context.OtherHeaders),
        },
    };

    private NpgsqlBatchCommand One(string sql, long version, SaveContext context)
    {
        var happened = events[0];
        var command = Begin(sql, context);
        command.Parameters.Add(Sql.Id(happened.Id));
        command.Parameters.Add(Sql.Json(context.Json(happened)));
        command.Parameters.Add(Sql.Text(
            $"{HashChain.Common(context.Now, context.Actor, Key)}{happened.Id}\n{version}{HashChain.Alias(happened.EventTypeName)}"));
        command.Parameters.Add(Sql.Text(happened.EventTypeName));
        command.Parameters.Add(Sql.Text(happened.DotNetTypeName));
        return command;
    }

    private NpgsqlBatchCommand Many(string sql, SaveContext context)
    {
        var (ids, data, kinds) = (new Guid[events.Count], new byte[events.Count][], new int[events.Count]);
        var names = new List<(string Alias, string DotNet)>();
        for (var i = 0; i < events.Count; i++)
        {
            var happened = events[i];
            var name = (happened.EventTypeName, happened.DotNetTypeName);
            var kind = names.IndexOf(name); // Few are different, and most are like the one before.
            if (kind < 0)
            {
                kind = names.Count;
                names.Add(name);
            }

            (ids[i], data[i], kinds[i]) = (happened.Id, context.Json(happened), kind + 1);
        }

        var command = Begin(sql, context);
        command.Parameters.Add(Sql.Ids(ids));
        command.Parameters.Add(Sql.Json(data));
        command.Parameters.Add(Sql.Text(HashChain.Common(context.Now, context.Actor, Key)));
        command.Parameters.Add(Sql.Texts([.. names.Select(it => it.Alias)]));
        command.Parameters.Add(Sql.Texts([.. names.Select(it => it.DotNet)]));
        command.Parameters.Add(Sql.Texts([.. names.Select(it => HashChain.Alias(it.Alias))]));
        command.Parameters.Add(Sql.Counts(kinds));
        return command;
    }
}

/// <summary>What the events of one save have in common.</summary>
/// <param name="HeadersJson">The headers without the hash; null where there are none.</param>
/// <param name="OtherHeaders">The same, name and value in turn.</param>
internal sealed record SaveContext(
    DateTimeOffset Now, string? CorrelationId, string? CausationId, string? Actor, byte[]? HeadersJson, string[] OtherHeaders,
    Func<RecordedEvent, byte[]> Json);
