namespace CaveComm.EventStore;

/// <summary>The constant statements over the event tables of one schema.</summary>
/// <remarks>
/// <para>
/// An append takes its transaction id, then the stream's row lock, then its sequence numbers. A stream that must not exist yet is inserted by
/// a statement of its own before its events. With an expected version, <c>u</c> updates the stream's row, which takes the id and the lock,
/// and the numbers are drawn in the select list over the join with <c>u</c>, which is evaluated after it. (A column default, or
/// a sub-select in <c>values</c>, would draw them before the lock, and two writers of one stream could then stand in the log in
/// the wrong order.) Where <c>u</c> is empty the version is null, the column's not-null constraint fails, and with it the whole batch.
/// </para>
/// <para>
/// Without an expected version the row is written by a statement of its own too, since the hash of the event before must be read after
/// the lock was taken: a statement sees what was committed when it began, and one that waits for a lock began before.
/// With an expected version one statement will do: who had to wait finds another version and undoes all.
/// </para>
/// </remarks>
internal sealed class EventSql
{
    /// <summary>What nearly all folds look at; the other half of a row costs the server as much again.</summary>
    public const string NarrowColumns = "seq_id, id, stream_id, version, data, type, timestamp";

    public const string Columns =
        $"{NarrowColumns}, tenant_id, mt_dotnet_type, correlation_id, causation_id, headers, is_archived";

    // Begins what stands in for a hash.
    private const string ContentMark = "content:";

    public EventSql(string schema)
    {
        // $1 stream, $2 its aggregate's alias, $3 the time, $4 how many events.
        InsertStream = $"""
            insert into {schema}.mt_streams as s (id, type, version, timestamp, created, tenant_id, is_archived)
            values ($1, $2, $4, $3, $3, '*DEFAULT*', false)
            """;
        UpsertStream = $"{InsertStream} on conflict (id) do update set version = s.version + excluded.version, timestamp = excluded.timestamp";

        // $1 stream, $2 the hash before or null where it must be looked up, $3 the time, $4 and $5 correlation and causation, $6 the other
        // headers, name and value in turn. Of one event: $7 id, $8 data, $9 what its hash covers before the data, $10 alias, $11 .NET type. Where a
        // version is expected: $12 that version, $13 the aggregate's alias.
        var insert = $"insert into {schema}.mt_events ({Columns})";
        string One(string before, string version) => $$"""
            {{insert}} select nextval('{{schema}}.mt_events_sequence'), $7, $1, {{version}}, $8, $10, $3, '*DEFAULT*', $11, $4, $5,
                jsonb_object(array['{{HashChain.Header}}', encode(sha256(convert_to({{before}} || $9 || $8::text, 'UTF8')), 'hex')] || $6::text[]), false
            """;
        StartOne = $"{One("$2", "1")} returning seq_id";
        ExpectOne = $"""
            with u as (update {schema}.mt_streams set version = version + 1, timestamp = $3, type = coalesce(type, $13)
                where id = $1 and version = $12 returning version)
            {One($"coalesce($2, {HashOf(schema, "$12")}, '')", "u.version")} from (select) as one left join u on true returning seq_id
            """;

        // Of several events: $7 ids, $8 data, $9 what their hashes cover in common, $10 aliases, $11 .NET types, $12 aliases as they are
        // hashed, $13 which of these three each event has. Where a version is expected: $14 that version, $15 the aggregate's alias, $16
        // how many events; where none is: $14 how many. The answer is one row, which costs less than one for each event.
        string Many(string before, string versionBefore, string version, string from) => $$"""
            {{insert}} select nextval('{{schema}}.mt_events_sequence'), e.id, $1, {{version}}, e.data, ($10)[e.kind], $3, '*DEFAULT*',
                ($11)[e.kind], $4, $5, jsonb_object(array['{{HashChain.Header}}', e.hash] || $6::text[]), false
            from {{from}} unnest($7, $8, $13, {{schema}}.cavecomm_chain({{before}}, $9, {{versionBefore}}, $7, $12, $13, $8))
                with ordinality as e (id, data, kind, hash, place)
            """;
        StartMany = $"with i as ({Many("$2", "0", "e.place", "")} returning seq_id) select array_agg(seq_id) from i";
        ExpectMany = $"""
            with u as (update {schema}.mt_streams set version = version + $16, timestamp = $3, type = coalesce(type, $15)
                where id = $1 and version = $14 returning version),
            i as ({Many($"coalesce($2, {HashOf(schema, "$14")}, '')", "$14", "u.version - $16 + e.place", "")} left join u on true returning seq_id)
            select array_agg(seq_id) from i
            """;
        AppendMany = $"""
            with i as (
                {Many($"coalesce($2, {HashOf(schema, "s.version - $14")}, '')", "s.version - $14", "s.version - $14 + e.place", $"{schema}.mt_streams s,")}
                where s.id = $1 returning seq_id, version)
            select array_agg(seq_id), min(version) from i
            """;

        Stream = $"select {Columns} from {schema}.mt_events where stream_id = $1 order by version";
        Fold = $"select {NarrowColumns} from {schema}.mt_events where stream_id = $1 order by version";
        FoldForWriting = $"""
            select {NarrowColumns}, case when version = (select s.version from {schema}.mt_streams s where s.id = $1) then headers ->> 'hash' end
            from {schema}.mt_events where stream_id = $1 order by version
            """;
        StreamPart = $"""
            select {Columns} from {schema}.mt_events
            where stream_id = $1 and version >= $2 and version <= $3 and ($4::timestamptz is null or timestamp <= $4) order by version
            """;
        State = $"select version, timestamp, created, is_archived from {schema}.mt_streams where id = $1";
        Page = $"""
            select {Columns.Replace(" data,", " case when type <> all($4) then data end as data,", StringComparison.Ordinal)} from {schema}.mt_events
            where seq_id > $1 and seq_id <= $2 order by seq_id limit $3
            """;
        Parked = $"""
            select {Columns} from {schema}.mt_events
            where seq_id in (select p.seq_id from {schema}.cavecomm_parked_event p where p.shard = $1 and p.key = $2) order by seq_id
            """;
        History = $"""
            select e.seq_id, e.id, e.stream_id, e.version, e.data, e.type, e.timestamp, e.headers ->> 'actor', e.correlation_id, e.causation_id,
                e.headers ->> 'hash',
                (select p.headers ->> 'hash' from {schema}.mt_events p where p.stream_id = e.stream_id and p.version = e.version - 1)
            from {schema}.mt_events e
            where e.seq_id > $1 and e.seq_id <= $2 and ($4::varchar is null or e.type = $4) and ($5::varchar is null or e.stream_id = $5)
                and ($6::timestamptz is null or e.timestamp >= $6) and ($7::timestamptz is null or e.timestamp <= $7)
            order by e.seq_id limit $3
            """;

        // Of all events of a stream, since a hash covers none that stands behind it or carries none. One array, so that its text can be read in one way only.
        string Content(string stream, string version) => $"""
            (select '{ContentMark}' || encode(sha256(convert_to(jsonb_agg(coalesce(to_jsonb(p.headers ->> '{HashChain.Header}'), jsonb_build_array(
                    p.id, p.version, p.type, extract(epoch from p.timestamp), p.headers ->> '{HashChain.ActorHeader}', p.data)) order by p.version)::text, 'UTF8')), 'hex')
                from {schema}.mt_events p where p.stream_id = {stream} and p.version <= {version})
            """;
        Heads = $"""
            select s.id, s.version, case
                when exists (select from {schema}.mt_events p where p.stream_id = s.id and p.version <= s.version and p.headers ->> '{HashChain.Header}' is null)
                then {Content("s.id", "s.version")} else e.headers ->> '{HashChain.Header}' end
            from {schema}.mt_streams s left join {schema}.mt_events e on e.stream_id = s.id and e.version = s.version
            where s.version > 0 and s.id > $1 order by s.id limit $2
            """;
        AtHeads = $"""
            select e.seq_id, e.id, case when starts_with(h.hash, '{ContentMark}') then {Content("h.stream", "h.version")} else e.headers ->> '{HashChain.Header}' end
            from unnest($1, $2, $3) with ordinality as h (stream, version, hash, place)
            left join {schema}.mt_events e on e.stream_id = h.stream and e.version = h.version order by h.place
            """;
        HighestSequence = $"select coalesce(max(seq_id), 0) from {schema}.mt_events";
    }

    public string InsertStream { get; }

    public string UpsertStream { get; }

    /// <summary>The first event of a stream that <see cref="InsertStream"/> has made.</summary>
    public string StartOne { get; }

    /// <summary>The first events of a stream that <see cref="InsertStream"/> has made.</summary>
    public string StartMany { get; }

    /// <summary>One event on a stream that must be at a version, and its stream's row.</summary>
    public string ExpectOne { get; }

    /// <summary>Events on a stream that must be at a version, and its stream's row.</summary>
    public string ExpectMany { get; }

    /// <summary>Events on a stream that <see cref="UpsertStream"/> has raised to the version it has after them.</summary>
    public string AppendMany { get; }

    public string Stream { get; }

    /// <summary>A whole stream in <see cref="NarrowColumns"/>.</summary>
    public string Fold { get; }

    /// <summary>As <see cref="Fold"/>, with the hash of the last event beside it.</summary>
    public string FoldForWriting { get; }

    public string StreamPart { get; }

    public string State { get; }

    /// <summary>Events after $1 up to $2, at most $3 of them, in the log's order; those called $4 without their data.</summary>
    public string Page { get; }

    /// <summary>The events that wait for key $2 of shard $1, in the log's order.</summary>
    public string Parked { get; }

    /// <summary>As <see cref="Page"/>, in the columns that auditors see: of the alias $4, of the stream $5, from $6 to $7, where these are not null.</summary>
    public string History { get; }

    /// <summary>The newest hash of at most $2 streams behind the key $1; of those with events that carry none, that of their content.</summary>
    public string Heads { get; }

    /// <summary>The events of the streams $1 at the versions $2, in that order, with what <see cref="Heads"/> tells of them now, where it told $3 then; nulls where there is none.</summary>
    public string AtHeads { get; }

    public string HighestSequence { get; }

    private static string HashOf(string schema, string version) =>
        $"(select p.headers ->> 'hash' from {schema}.mt_events p where p.stream_id = $1 and p.version = {version})";
}
