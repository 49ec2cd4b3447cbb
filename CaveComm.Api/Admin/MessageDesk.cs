using CaveComm.Api.Http.Idempotency;
using CaveComm.Domain;
using CaveComm.Domain.Admin;

namespace CaveComm.Api.Admin;

/// <summary>What administrators do with messages, by HTTP or at the command line: each act is recorded, then done.</summary>
/// <remarks>As with <see cref="ProjectionDesk"/>: what is refused is not recorded; of two who ask in the same moment both may be, and one of them acts.</remarks>
internal sealed class MessageDesk(IMessageStore messages, IDocumentStore store, IKeyedWrites keyed)
{
    public const int MostPerSecond = 1_000;
    public const int UsualPerSecond = 20;

    public Task<IReadOnlyList<StoredMessage>> List(MessageFilter filter, int limit, MessageCursor? after, CancellationToken cancel) => messages.List(filter, limit, after, cancel);

    public Task<MessageFigures> Measure(CancellationToken cancel) => messages.Measure(cancel);

    public Task<StoredMessage?> Find(Guid id, CancellationToken cancel) => messages.Find(id, cancel);

    public Task<ReplayRun?> FindReplay(Guid id, CancellationToken cancel) => messages.FindReplay(id, cancel);

    public Task<IReadOnlyList<ReplayRun>> ListReplays(int limit, CancellationToken cancel) => messages.ListReplays(limit, cancel);

    /// <summary>Sends one dead letter again.</summary>
    /// <returns>Why it was not done; null when it was.</returns>
    public async Task<Refusal?> Replay(Guid id, Asker asker, CancellationToken cancel)
    {
        var found = await messages.Find(id, cancel);
        if (found is not { State: MessageState.Dead })
        {
            return keyed.Resumes ? null : await NotDead(id, found, cancel); // This very request did it before it broke off.
        }

        await Record(StreamKey.Message(id), new MessageEvent.Replayed(found.MessageType, asker.Account, asker.Reason), asker, cancel);
        return await messages.Replay(id, cancel) ? null : await NotDead(id, await messages.Find(id, cancel), cancel);
    }

    /// <summary>Takes a dead letter off the list.</summary>
    /// <inheritdoc cref="Replay"/>
    public async Task<Refusal?> Discard(Guid id, string reason, Asker asker, CancellationToken cancel)
    {
        var found = await messages.Find(id, cancel);
        if (found is not { State: MessageState.Dead })
        {
            return keyed.Resumes ? null : await NotDead(id, found, cancel); // This very request did it before it broke off.
        }

        await Record(StreamKey.Message(id), new MessageEvent.Discarded(found.MessageType, asker.Account, reason), asker, cancel);
        return await messages.Discard(id, reason, cancel) ? null : await NotDead(id, await messages.Find(id, cancel), cancel);
    }

    /// <summary>Begins to send dead letters again. Alarms are left out unless they are asked for by their type: sent again they would only be raised again.</summary>
    /// <exception cref="ReplayRunningException">Another one still sends.</exception>
    public async Task<(ReplayRun? Run, Refusal? Refusal)> ReplayAll(ReplayFilter filter, int perSecond, Asker asker, CancellationToken cancel)
    {
        // A request that broke off may have sent them or not: what is under way or nothing left to send says that it had.
        var chosen = filter with { ExceptType = MessageWords.Alarm };
        var (fitting, runs) = (await messages.CountDeadLetters(chosen, cancel), keyed.Resumes ? await messages.ListReplays(1, cancel) : []);
        if (runs is [var begun] && (fitting == 0 || begun.Waiting > 0))
        {
            return (begun, null);
        }

        if (fitting == 0)
        {
            return (null, await NothingFits(filter, cancel));
        }

        if ((await messages.ListReplays(10, cancel)).FirstOrDefault(it => it.Waiting > 0) is { } running)
        {
            throw new ReplayRunningException(running);
        }

        var id = Guid.CreateVersion7();
        var asked = new ReplayEvent.Requested(filter.MessageType, filter.Queue, filter.Since, filter.Error, perSecond, asker.Account, asker.Reason);
        await Record(StreamKey.Replay(id), asked, asker, cancel);
        return await messages.Replay(id, chosen, perSecond, cancel) is { } run ? (run, null) : (null, await NothingFits(filter, cancel));
    }

    private async Task<Refusal> NothingFits(ReplayFilter filter, CancellationToken cancel)
    {
        var dead = (await messages.Measure(cancel)).DeadByType;
        var asked = string.Join(", ", new[]
        {
            filter.MessageType is { } type ? $"type {type}" : null,
            filter.Queue is { } queue ? $"queue {queue}" : null,
            filter.Since is { } since ? $"dead since {since.UtcDateTime:yyyy-MM-dd HH:mm:ss} UTC" : null,
            filter.Error is { } error ? $"a reason with \u201c{error}\u201d" : null,
        }.OfType<string>());
        var there = dead.Count == 0 ? "There is no dead letter at all." : $"There are: {string.Join(", ", dead.OrderByDescending(it => it.Value).Select(it => $"{it.Key} ({it.Value})"))}.";
        var alarms = filter.MessageType is null && dead.ContainsKey(MessageWords.Alarm) ? " Alarms are left out unless they are named by their type." : "";
        return new Refusal(RefusalKind.Missing, "nothing-to-replay", $"No dead letter fits{(asked.Length == 0 ? "" : $" ({asked})")}. {there}{alarms}");
    }

    private async Task<Refusal> NotDead(Guid id, StoredMessage? found, CancellationToken cancel)
    {
        switch (found)
        {
            case { DiscardedAt: { } at, DiscardReason: var reason }:
                return new Refusal(RefusalKind.Conflict, "not-dead", $"This letter was discarded on {at.UtcDateTime:yyyy-MM-dd HH:mm} UTC: {reason}");
            case { Replays: > 0 }:
                return new Refusal(RefusalKind.Conflict, "not-dead", $"This letter was sent again already: it is {MessageWords.Of(found.State)} now.");
            case not null:
                return new Refusal(RefusalKind.Conflict, "not-dead", $"This message is not a dead letter: it is {MessageWords.Of(found.State)}.");
            default:
                await using (var session = store.QuerySession())
                {
                    return await session.Events.FetchStreamStateAsync(StreamKey.Message(id), cancel) is null
                        ? Unknown(id)
                        : new Refusal(RefusalKind.Conflict, "not-dead", "This letter was sent again already, and has been handled since.");
                }
        }
    }

    public static Refusal Unknown(Guid id) =>
        new(RefusalKind.Missing, "no-such-message", $"There is no message {id:D}. It was handled, after which nothing is kept of it, or there never was one.");

    private async Task Record(string stream, object happened, Asker asker, CancellationToken cancel)
    {
        if (keyed.Resumes)
        {
            return;
        }

        await using var session = store.LightweightSession();
        session.LastModifiedBy = asker.Actor;
        keyed.Enroll(session);
        session.Events.Append(stream, happened);
        await session.SaveChangesAsync(cancel);
    }
}
