namespace CaveComm.EventStore;

/// <summary>The constant statements over the event tables of one schema.</summary>
/// <remarks>
/// An append takes its transaction id, then the stream's row lock, then its sequence numbers. So each append is one statement: <c>u</c>
/// updates or inserts the stream's row, which takes the id and the lock, and the numbers are drawn in the select list over the join with
/// <c>u</c>, which is evaluated after it. (A column default, or a sub-select in <c>values</c>, would draw them before the lock, and
/// two writers of one stream could then stand in the log in the wrong order.) Where <c>u</c> is empty the version is null, the column's
/// not-null constraint fails, and with it the whole batch.
/// </remarks>
internal sealed class EventSql
{
    private const string Columns =
        "seq_id, id, stream_id, version, data, type, timestamp, tenant_id, mt_dotnet_type, correlation_id, causation_id, headers, is_archived";

    public EventSql(string schema)
    {
        // $1 stream, $2 its aggregate's alias, $3 how many events, $4 the time, $5 and $6 correlation and causation, $7 headers,
        // $8 to $11 the events, $12 the version that is expected.
        var insertEvents = $"""
            insert into {schema}.mt_events ({Columns})
            select nextval('{schema}.mt_events_sequence'), e.id, $1, u.version - $3 + e.place, e.data, e.type, $4, '*DEFAULT*',
                e.dotnet_type, $5, $6, $7, false
            from unnest($8, $9, $10, $11) with ordinality as e (id, data, type, dotnet_type, place) left join u on true
            returning seq_id, version
            """;
        var insertStream = $"""
            insert into {schema}.mt_streams as s (id, type, version, timestamp, created, tenant_id, is_archived)
            values ($1, $2, $3, $4, $4, '*DEFAULT*', false)
            """;
        Start = $"with u as ({insertStream} returning version) {insertEvents}";
        Append = $"""
            with u as ({insertStream}
                on conflict (id) do update set version = s.version + excluded.version, timestamp = excluded.timestamp
                returning s.version) {insertEvents}
            """;
        AppendExpecting = $"""
            with u as (update {schema}.mt_streams set version = version + $3, timestamp = $4, type = coalesce(type, $2)
                where id = $1 and version = $12 returning version) {insertEvents}
            """;
        Stream = $"select {Columns} from {schema}.mt_events where stream_id = $1 order by version";
        StreamPart = $"""
            select {Columns} from {schema}.mt_events
            where stream_id = $1 and version >= $2 and version <= $3 and ($4::timestamptz is null or timestamp <= $4) order by version
            """;
        State = $"select version, timestamp, created, is_archived from {schema}.mt_streams where id = $1";
        Page = $"select {Columns} from {schema}.mt_events where seq_id > $1 and seq_id <= $2 order by seq_id limit $3";
        Parked = $"""
            select {Columns} from {schema}.mt_events
            where seq_id in (select p.seq_id from {schema}.cavecomm_parked_event p where p.shard = $1 and p.key = $2) order by seq_id
            """;
        HighestSequence = $"select coalesce(max(seq_id), 0) from {schema}.mt_events";
    }

    public string Start { get; }

    public string Append { get; }

    public string AppendExpecting { get; }

    public string Stream { get; }

    public string StreamPart { get; }

    public string State { get; }

    /// <summary>Events after $1 up to $2, at most $3 of them, in the log's order.</summary>
    public string Page { get; }

    /// <summary>The events that wait for key $2 of shard $1, in the log's order.</summary>
    public string Parked { get; }

    public string HighestSequence { get; }
}
