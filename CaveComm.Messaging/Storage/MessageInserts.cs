using System.Security.Cryptography;
using System.Text;
using Npgsql;
using NpgsqlTypes;

namespace CaveComm.Messaging;

/// <summary>The commands that store messages, for any batch.</summary>
internal static class MessageInserts
{
    /// <summary>First half of the advisory locks that order a group's messages: the key space of two integers, apart from that of one.</summary>
    public const int GroupLock = 0x6d736773; // "msgs"

    private const string Scheduled =
        """
        insert into cavecomm_messages (id, type, queue, group_key, body, headers, due_at)
        values ($1, $2, $3, $4, $5, $6, $7)
        """;

    private const string Ready =
        """
        insert into cavecomm_messages (id, seq, type, queue, body, headers, due_at, owner, claims, locked_until)
        values ($1, nextval('cavecomm_messages_seq'), $2, $3, $4, $5, $6, $7, $8, clock_timestamp() + $9)
        """;

    // The number is drawn in the select list above the lock, so whoever commits first has the lower one.
    private const string Grouped =
        """
        with turn as materialized (select pg_advisory_xact_lock($8, hashtext($4)))
        insert into cavecomm_messages (id, seq, type, queue, group_key, body, headers, due_at)
        select $1, nextval('cavecomm_messages_seq'), $2, $3, $4, $5, $6, $7 from turn
        """;

    // The lock comes first, by itself: the next command then sees what the lock's last holder committed.
    private const string Lock = "select pg_advisory_xact_lock($1, hashtext($2)), set_config('enable_seqscan', 'off', true)";

    /// <summary>Where no other message of the group is ready or running, this is the first, and the publishing node may have it at once.</summary>
    private const string FirstOfGroup =
        $"""
        insert into cavecomm_messages (id, seq, type, queue, group_key, body, headers, due_at, owner, claims, locked_until)
        select $1, nextval('cavecomm_messages_seq'), $2, $3, $4, $5, $6, $7,
            case when free then $8 end, case when free then 1 else 0 end, case when free then clock_timestamp() + $9 end
        from (select not exists (select from cavecomm_messages e where e.group_key = $4 and e.seq >= $10) as free) g
        returning seq as {AnswerColumn}, owner is not null
        """;

    private const string AnswerColumn = "seq_of_first";

    // A concurrent duplicate waits for the first one's end on the primary key. Expired entries are taken over.
    private const string Deduplicated =
        """
        with fresh as (
            insert into cavecomm_message_dedup as seen (id, expires_at) values ($10, $11)
            on conflict (id) do update set expires_at = excluded.expires_at where seen.expires_at <= $12
            returning id),
        turn as materialized (select pg_advisory_xact_lock($8, hashtext($4)) from fresh where $4 is not null)
        insert into cavecomm_messages (id, seq, type, queue, group_key, body, headers, due_at, dedup_id)
        select $1, case when $9 then nextval('cavecomm_messages_seq') end, $2, $3, $4, $5, $6, $7, $13
        from fresh left join turn on true
        """;

    /// <summary>Adds the commands.</summary>
    /// <param name="node">Takes what can be handed over into hand at once.</param>
    /// <param name="ending">The message that ends in the same transaction: it is in nobody's way.</param>
    /// <returns>Those of which the rows will tell whether they can be handed over, for <see cref="ReadAnswers"/>.</returns>
    public static IReadOnlyList<OutgoingMessage> AddTo(NpgsqlBatch batch, IReadOnlyList<OutgoingMessage> messages, MessagingNode node, Delivery? ending = null)
    {
        List<OutgoingMessage> asked = [];
        string? before = null;

        // Groups in one order everywhere, or two transactions could wait for each other; within a group as published.
        IEnumerable<OutgoingMessage> ordered = messages.Count == 1 ? messages : messages.OrderBy(message => message.GroupId, StringComparer.Ordinal);
        foreach (var message in ordered)
        {
            var mayBeFirst = message.GroupId is { } group && group != before && (group == ending?.GroupId || !node.HoldsGroup(group));
            before = message.GroupId;
            Add(batch, message, node, mayBeFirst);
            if (message is { Owned: true, GroupId: not null })
            {
                asked.Add(message);
            }
        }

        return asked;
    }

    /// <summary>Reads which of them are the first of their group.</summary>
    public static async ValueTask ReadAnswers(NpgsqlDataReader rows, IReadOnlyList<OutgoingMessage> asked, CancellationToken cancel)
    {
        foreach (var message in asked)
        {
            while (rows.FieldCount == 0 || rows.GetName(0) != AnswerColumn)
            {
                // Past the locks, and what others asked for.
                if (!await rows.NextResultAsync(cancel))
                {
                    throw new InvalidOperationException($"Nothing tells whether message {message.Id} is the first of its group.");
                }
            }

            await rows.ReadAsync(cancel);
            message.Seq = rows.GetInt64(0);
            message.Owned = rows.GetBoolean(1);
            await rows.NextResultAsync(cancel);
        }
    }

    private static void Add(NpgsqlBatch batch, OutgoingMessage message, MessagingNode node, bool mayBeFirst)
    {
        message.Owned = message.CanBeHandedOver && (message.GroupId is null || mayBeFirst) && node.HasRoom(message.Type.Queue);
        message.OwnedSince = Environment.TickCount64;
        if (message.DeduplicationId is { } deduplication)
        {
            Common(batch.Add(Deduplicated), message).With(GroupLock).With(!message.Scheduled)
                .With(Digest(deduplication)).With(message.Now + message.DeduplicationWindow).With(message.Now).With(deduplication);
        }
        else if (message.Scheduled)
        {
            Common(batch.Add(Scheduled), message);
        }
        else if (message.GroupId is { } group && message.Owned)
        {
            batch.Add(Lock).With(GroupLock).With(group);
            Common(batch.Add(FirstOfGroup), message).With(node.Id).With(node.Lease).With(node.FloorOf(group));
        }
        else if (message.GroupId is not null)
        {
            Common(batch.Add(Grouped), message).With(GroupLock);
        }
        else
        {
            batch.Add(Ready).With(message.Id).With(message.Type.Alias).With(message.Type.Queue).WithJson(message.Body).WithJson(message.Headers).With(message.DueAt)
                .WithNullable(message.Owned ? node.Id : null, NpgsqlDbType.Uuid).With(message.Owned ? 1 : 0)
                .WithNullable(message.Owned ? node.Lease : null, NpgsqlDbType.Interval);
        }
    }

    private static NpgsqlBatchCommand Common(NpgsqlBatchCommand command, OutgoingMessage message) => command
        .With(message.Id).With(message.Type.Alias).With(message.Type.Queue).WithText(message.GroupId)
        .WithJson(message.Body).WithJson(message.Headers).With(message.DueAt);

    // Sixteen bytes keep the record compact however long the id is.
    private static Guid Digest(string id) => new(SHA256.HashData(Encoding.UTF8.GetBytes(id)).AsSpan(0, 16));
}
