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

    /// <summary>Adds the commands; they return no rows.</summary>
    /// <param name="node">Takes what can be handed over into hand at once.</param>
    public static void AddTo(NpgsqlBatch batch, IReadOnlyList<OutgoingMessage> messages, MessagingNode node)
    {
        if (messages.Count == 1)
        {
            Add(batch, messages[0], node);
            return;
        }

        // Groups in one order everywhere, or two transactions could wait for each other; within a group as published.
        foreach (var message in messages.OrderBy(message => message.GroupId, StringComparer.Ordinal))
        {
            Add(batch, message, node);
        }
    }

    private static void Add(NpgsqlBatch batch, OutgoingMessage message, MessagingNode node)
    {
        message.Owned = message.CanBeHandedOver && node.HasRoom(message.Type.Queue);
        if (message.DeduplicationId is { } deduplication)
        {
            Common(batch.Add(Deduplicated), message).With(GroupLock).With(!message.Scheduled)
                .With(Digest(deduplication)).With(message.Now + message.DeduplicationWindow).With(message.Now).With(deduplication);
        }
        else if (message.Scheduled)
        {
            Common(batch.Add(Scheduled), message);
        }
        else if (message.GroupId is not null)
        {
            Common(batch.Add(Grouped), message).With(GroupLock);
        }
        else
        {
            message.OwnedSince = Environment.TickCount64;
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
