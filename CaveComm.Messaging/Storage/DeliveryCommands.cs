using System.Text.Json;
using Npgsql;

namespace CaveComm.Messaging;

/// <summary>The commands by which a node takes, keeps and ends messages. Each names owner and claim, so that a node which lost a message changes nothing.</summary>
internal static class DeliveryCommands
{
    /// <summary>Where it is told whether others wait behind a group's first message.</summary>
    public const int FollowedColumn = 10;

    private const string Columns = "m.id, m.type, m.group_key, m.claims, m.attempts, m.replays, m.due_at, m.body::text, m.headers::text, m.seq";

    // With no row to delete, a null id is inserted: the not-null constraint undoes the whole batch.
    private const string FencedDelete =
        """
        with ended as (delete from cavecomm_messages where id = $1 and owner = $2 and claims = $3 returning id)
        insert into cavecomm_messages (id) select null where not exists (select from ended)
        """;

    /// <summary>
    /// For the batches that take and renew: a lost claim after a crash of the server is only taken again, so it need not wait for the disk;
    /// and the plan must never be the one made for an empty table.
    /// </summary>
    private const string Settings =
        """
        select set_config('synchronous_commit', 'off', true), set_config('plan_cache_mode', 'force_custom_plan', true), set_config('enable_seqscan', 'off', true),
            set_config('jit', 'off', true)
        """;

    // For ends that take the next message in the same transaction: an end waits for the disk.
    private const string PlanSettings = "select set_config('plan_cache_mode', 'force_custom_plan', true), set_config('enable_seqscan', 'off', true), set_config('jit', 'off', true)";

    // A number is drawn under the group's lock, and must be on the disk before it is relied on. Whose group is being written to at this moment comes
    // in the next round, so nobody waits here.
    // Of a group only those are numbered before which none was skipped: another node may have that one in its hands and yet lose the group's lock.
    private const string PromoteGrouped =
        """
        with seen as materialized (
            select id, group_key, due_at from cavecomm_messages
            where seq is null and group_key is not null and due_at <= $1 and type = any($2)
            order by due_at, id limit 500),
        due as materialized (
            select m.id, m.group_key, m.due_at from seen s join cavecomm_messages m on m.id = s.id where m.seq is null for update of m skip locked),
        skipped as materialized (
            select group_key, min(due_at) as due_at from seen s where not exists (select from due d where d.id = s.id) group by group_key),
        turn as materialized (
            select group_key, pg_try_advisory_xact_lock($3, hashtext(group_key)) as mine from (select distinct group_key from due) g),
        numbered as materialized (
            select id, nextval('cavecomm_messages_seq') as seq
            from (
                select d.id from due d join turn t using (group_key) left join skipped s using (group_key)
                where t.mine and (s.due_at is null or d.due_at < s.due_at) order by d.due_at, d.id) o)
        update cavecomm_messages m set seq = n.seq from numbered n where m.id = n.id
        returning m.group_key, set_config('synchronous_commit', 'on', true)
        """;

    private const string TakeScheduled =
        $"""
        with next as materialized (
            select id from cavecomm_messages
            where seq is null and group_key is null and queue = $1 and due_at <= $2 and due_at >= $7 and type = any($3)
            order by due_at limit $4 for update skip locked)
        update cavecomm_messages m set seq = nextval('cavecomm_messages_seq'), owner = $5, claims = m.claims + 1, locked_until = clock_timestamp() + $6
        from next where m.id = next.id returning {Columns}
        """;

    // Of a group only the first may be taken. Once first, a message stays first: later ones get higher numbers.
    // What has its number and has not failed is ready whatever the clock says, which may have been set back or be another node's.
    private const string TakeReady =
        $"""
        with next as materialized (
            select m.id from cavecomm_messages m
            where m.queue = $1 and m.seq >= $7 and (m.attempts = 0 or m.due_at <= $2) and (m.locked_until is null or m.locked_until <= now()) and m.type = any($3)
                and (m.group_key is null or not exists (select from cavecomm_messages e where e.group_key = m.group_key and e.seq < m.seq))
            order by m.seq limit $4 for update skip locked)
        update cavecomm_messages m set owner = $5, claims = m.claims + 1, locked_until = clock_timestamp() + $6
        from next where m.id = next.id returning {Columns}
        """;

    // The floor is the number of a message that once was the group's first: nothing stands below it, except index entries of finished messages.
    private const string TakeHeads =
        $"""
        with head as materialized (
            select h.id from unnest($1::text[], $7::bigint[]) g(key, floor)
            cross join lateral (select m.id from cavecomm_messages m where m.group_key = g.key and m.seq >= g.floor order by m.seq limit 1) h),
        free as materialized (select m.id from head join cavecomm_messages m using (id) for update of m skip locked)
        update cavecomm_messages m set owner = $4, claims = m.claims + 1, locked_until = clock_timestamp() + $5
        from free
        where m.id = free.id and (m.attempts = 0 or m.due_at <= $2) and m.type = any($3) and m.queue = any($6) and (m.locked_until is null or m.locked_until <= now())
        returning {Columns}, exists (select from cavecomm_messages e where e.group_key = m.group_key and e.seq > m.seq)
        """;

    // Also: whether a group's scheduled message is due but could not be promoted in this round.
    private const string NextDue =
        """
        select (select min(due_at) from cavecomm_messages where (seq is null or attempts > 0) and due_at > $1),
            exists (select from cavecomm_messages where seq is null and group_key is not null and due_at <= $1 and type = any($2))
        """;

    private const string Delete =
        """
        delete from cavecomm_messages m using unnest($1::uuid[], $2::int[]) as e(id, claims) where m.id = e.id and m.claims = e.claims and m.owner = $3
        """;

    // A row that is locked is being ended or put off at this moment. To wait for it would let the leases of all others run out.
    private const string Renew =
        """
        with held as materialized (
            select m.id from cavecomm_messages m join unnest($1::uuid[], $2::int[]) as e(id, claims) on m.id = e.id and m.claims = e.claims where m.owner = $3),
        free as materialized (select m.id from held join cavecomm_messages m using (id) for update of m skip locked),
        renewed as (update cavecomm_messages m set locked_until = clock_timestamp() + $4 from free where m.id = free.id)
        select id from held
        """;

    // A message of a group keeps its place and so holds up the group; any other goes back among the scheduled ones. What is tried for days keeps its first
    // and its last errors: a list without end would be written anew with each attempt.
    private const string Retry =
        """
        update cavecomm_messages
        set due_at = $4, seq = case when group_key is null then null else seq end, attempts = attempts + $5,
            errors = case when jsonb_array_length(errors) > 60
                then jsonb_path_query_array(errors, '$[0 to 4]') || jsonb_path_query_array(errors, '$[last-48 to last]') else coalesce(errors, '[]') end || $6,
            owner = null, locked_until = null
        where id = $1 and owner = $2 and claims = $3
        """;

    private const string Bury =
        """
        with gone as (delete from cavecomm_messages where id = $1 and owner = $2 and claims = $3 returning *)
        insert into cavecomm_dead_letters (id, seq, type, queue, group_key, body, headers, errors, attempts, replays, reason, trace_id, created_at, dead_at)
        select id, seq, type, queue, group_key, body, headers, coalesce(errors, '[]') || $4, attempts + $5, replays, $6,
            coalesce(split_part(headers ->> 'traceparent', '-', 2), ''), created_at, $7
        from gone
        """;

    // Only what was taken before can be waiting for a retry; what was scheduled keeps the moment that it was scheduled for.
    private const string ShiftRetries =
        """
        update cavecomm_messages set due_at = due_at - $2 where claims > 0 and (seq is null or attempts > 0) and due_at > $1
        """;

    private const string ReleaseAll = "update cavecomm_messages set owner = null, locked_until = null where owner = $1 and seq is not null";

    public static void AddFencedDelete(NpgsqlBatch batch, Delivery delivery, Guid node) =>
        batch.Add(FencedDelete).With(delivery.Id).With(node).With(delivery.Claims);

    public static bool IsLost(PostgresException error) =>
        error is { SqlState: PostgresErrorCodes.NotNullViolation, TableName: "cavecomm_messages", ColumnName: "id" };

    public static void AddSettings(NpgsqlBatch batch) => batch.Add(Settings);

    public static void AddPlanSettings(NpgsqlBatch batch) => batch.Add(PlanSettings);

    public static void AddPromoteGrouped(NpgsqlBatch batch, DateTimeOffset now, string[] types) =>
        batch.Add(PromoteGrouped).With(now).With(types).With(MessageInserts.GroupLock);

    public static void AddTakeScheduled(NpgsqlBatch batch, string queue, DateTimeOffset now, string[] types, int limit, Guid node, TimeSpan lease, DateTimeOffset from) =>
        batch.Add(TakeScheduled).With(queue).With(now).With(types).With(limit).With(node).With(lease).With(from);

    public static void AddTakeReady(NpgsqlBatch batch, string queue, DateTimeOffset now, string[] types, int limit, Guid node, TimeSpan lease, long from) =>
        batch.Add(TakeReady).With(queue).With(now).With(types).With(limit).With(node).With(lease).With(from);

    /// <param name="groups">In one order everywhere, or two nodes could wait for each other.</param>
    public static void AddTakeHeads(NpgsqlBatch batch, string[] groups, long[] floors, DateTimeOffset now, string[] types, string[] queues, Guid node, TimeSpan lease) =>
        batch.Add(TakeHeads).With(groups).With(now).With(types).With(node).With(lease).With(queues).With(floors);

    public static void AddNextDue(NpgsqlBatch batch, DateTimeOffset now, string[] types) => batch.Add(NextDue).With(now).With(types);

    public static void AddDelete(NpgsqlBatch batch, IReadOnlyCollection<Delivery> ended, Guid node) =>
        batch.Add(Delete).With(ended.Select(d => d.Id).ToArray()).With(ended.Select(d => d.Claims).ToArray()).With(node);

    public static void AddRenew(NpgsqlBatch batch, IReadOnlyCollection<Delivery> held, Guid node, TimeSpan lease) =>
        batch.Add(Renew).With(held.Select(d => d.Id).ToArray()).With(held.Select(d => d.Claims).ToArray()).With(node).With(lease);

    public static void AddRetry(NpgsqlBatch batch, Delivery delivery, Guid node, DateTimeOffset due, IReadOnlyList<DeliveryError> errors) =>
        batch.Add(Retry).With(delivery.Id).With(node).With(delivery.Claims).With(due).With(errors.Count).WithJson(Serialize(errors));

    public static void AddBury(NpgsqlBatch batch, Delivery delivery, Guid node, string reason, IReadOnlyList<DeliveryError> errors, DateTimeOffset now) =>
        batch.Add(Bury).With(delivery.Id).With(node).With(delivery.Claims).WithJson(Serialize(errors)).With(errors.Count).With(reason).With(now);

    /// <param name="before">The time at which the clock was set back.</param>
    public static void AddShiftRetries(NpgsqlBatch batch, DateTimeOffset before, TimeSpan by) => batch.Add(ShiftRetries).With(before).With(by);

    public static void AddReleaseAll(NpgsqlBatch batch, Guid node) => batch.Add(ReleaseAll).With(node);

    private static byte[] Serialize(IReadOnlyList<DeliveryError> errors) => JsonSerializer.SerializeToUtf8Bytes(errors, JsonSerializerOptions.Web);
}
