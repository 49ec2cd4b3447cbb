using CaveComm.Api.Http.Idempotency;
using CaveComm.Api.Identity;
using CaveComm.Domain;
using CaveComm.Domain.Identity;

namespace CaveComm.Api.OwnAccount;

/// <summary>An invitation as administrators see it. Beside its stream, since an address has to be forgotten when it is not needed any more.</summary>
/// <param name="Email">Null once somebody has registered with it, or it was withdrawn.</param>
public sealed record InvitationRecord(string Id, string? Email, DateTimeOffset InvitedAt, DateTimeOffset ExpiresAt, string Status, string? Handle)
{
    public const string Open = "open";
    public const string Accepted = "accepted";
    public const string Withdrawn = "withdrawn";
    public const string Expired = "expired";
}

/// <summary>Lets people in where not everybody may register.</summary>
internal sealed class Invitations(IDocumentStore store, IOutbox outbox, IKeyedWrites keyed, TimeProvider clock)
{
    public const int Shown = 200;

    public async Task<InvitationRecord> Invite(Caller by, string email, CancellationToken cancel)
    {
        var now = clock.GetUtcNow();
        var id = Guid.CreateVersion7(now);
        var record = new InvitationRecord($"{id:D}", email, now, now + AccountLinks.InvitationLife, InvitationRecord.Open, null);
        await using var session = store.LightweightSession();
        session.LastModifiedBy = by.Actor;
        keyed.Enroll(session);
        session.Events.StartStream<Invitation>(StreamKey.Invitation(id), [.. InvitationDecider.Decide(Invitation.Initial, new InvitationCommand.Invite(record.ExpiresAt)).Events]);
        session.Store(record);
        outbox.Enroll(session);
        await outbox.PublishAsync(new MailInvitation(id));
        await session.SaveChangesAsync(cancel);
        return record;
    }

    /// <summary>The newest, as they stand now.</summary>
    public async Task<IReadOnlyList<InvitationRecord>> List(CancellationToken cancel)
    {
        var now = clock.GetUtcNow();
        await using var session = store.QuerySession();
        var rows = await session.QueryAsync<InvitationRecord>("where true order by id desc limit ?", cancel, Shown);
        return [.. rows.Select(it => it.Status == InvitationRecord.Open && it.ExpiresAt <= now ? it with { Status = InvitationRecord.Expired } : it)];
    }

    public async Task<Refusal?> Withdraw(Guid id, Caller by, CancellationToken cancel)
    {
        await using var session = store.LightweightSession();
        session.LastModifiedBy = by.Actor;
        var stream = await session.Events.FetchForWriting<Invitation>(StreamKey.Invitation(id), cancel);
        var decision = InvitationDecider.Decide(stream.Aggregate ?? Invitation.Initial, new InvitationCommand.Withdraw());
        if (decision.Events is [])
        {
            return decision.Refusal;
        }

        stream.AppendMany(decision.Events);
        if (await session.LoadAsync<InvitationRecord>($"{id:D}", cancel) is { } record)
        {
            session.Store(record with { Email = null, Status = InvitationRecord.Withdrawn });
        }

        await session.SaveChangesAsync(cancel);
        return null;
    }

    /// <summary>Whether somebody can register with it now.</summary>
    public static async Task<bool> IsGood(IDocumentStore store, Guid? id, DateTimeOffset now, CancellationToken cancel)
    {
        await using var session = store.QuerySession();
        return id is { } it && (await session.Events.AggregateStreamAsync<Invitation>(StreamKey.Invitation(it), token: cancel))?.IsOpen(now) == true;
    }

    /// <summary>In the new account's own transaction: of two who use it at once, one commits.</summary>
    public static async Task<Refusal?> Accept(IDocumentSession session, Guid id, Guid account, string handle, DateTimeOffset now, CancellationToken cancel)
    {
        var stream = await session.Events.FetchForWriting<Invitation>(StreamKey.Invitation(id), cancel);
        var decision = InvitationDecider.Decide(stream.Aggregate ?? Invitation.Initial, new InvitationCommand.Accept(account, now));
        stream.AppendMany(decision.Events);
        if (decision.Refusal is null && await session.LoadAsync<InvitationRecord>($"{id:D}", cancel) is { } record)
        {
            session.Store(record with { Email = null, Status = InvitationRecord.Accepted, Handle = handle });
        }

        return decision.Refusal;
    }
}
