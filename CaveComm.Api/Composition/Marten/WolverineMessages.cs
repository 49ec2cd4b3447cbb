using System.Text;
using Wolverine.Persistence.Durability;
using Wolverine.Persistence.Durability.DeadLetterManagement;
using Wolverine.Runtime;

namespace CaveComm.Api.Composition;

/// <summary>Wolverine's stored messages, in the words of the kernel's store.</summary>
internal sealed class WolverineMessages(IWolverineRuntime runtime, TimeProvider clock) : Messaging.IMessageStore
{
    private const int PageSize = 100;
    private static readonly TimeSpan IdleLook = TimeSpan.FromMilliseconds(100);

    private IDeadLetters DeadLetters => runtime.Storage.DeadLetters;

    public Task Migrate(CancellationToken cancel) => runtime.Storage.Admin.MigrateAsync();

    /// <summary>Wolverine does not tell which of its messages are in hand, nor how long one has been due.</summary>
    public async Task<MessageCounts> Count(CancellationToken cancel)
    {
        var counts = await runtime.Storage.Admin.FetchCountsAsync();
        return new(counts.Incoming, Running: 0, counts.Scheduled, counts.DeadLetter, OldestDueAge: TimeSpan.Zero);
    }

    public async Task<MessageFigures> Measure(CancellationToken cancel)
    {
        var counts = await runtime.Storage.Admin.FetchCountsAsync();
        var dead = (await All(messageType: null, cancel)).GroupBy(it => it.MessageType).ToDictionary(it => it.Key, it => (long)it.Count(), StringComparer.Ordinal);
        return new(
            [
                new("all", MessageState.Due, counts.Incoming, TimeSpan.Zero),
                new("all", MessageState.Scheduled, counts.Scheduled, TimeSpan.Zero),
            ],
            dead);
    }

    /// <summary>The dead only: Wolverine's store counts the others, but does not show them.</summary>
    public async Task<IReadOnlyList<StoredMessage>> List(MessageFilter filter, int limit, MessageCursor? after, CancellationToken cancel)
    {
        if (filter.State is not (null or MessageState.Dead))
            return [];
        var all = (await All(filter.MessageType, cancel)).Select(Told)
            .Where(it => (filter.Queue is null || it.Queue == filter.Queue) && (filter.GroupId is null || it.GroupId == filter.GroupId));
        return [.. (after is { Id: var last } ? all.SkipWhile(it => it.Id != last).Skip(1) : all).Take(limit).Select(Shown)];
    }

    public async Task<StoredMessage?> Find(Guid id, CancellationToken cancel) => await FindDeadLetter(id, cancel) is { } letter ? Shown(letter) : null;

    public async Task<int> CountDeadLetters(ReplayFilter filter, CancellationToken cancel) => (await All(filter.MessageType, cancel)).Count;

    public Task<ReplayRun?> Replay(Guid id, ReplayFilter filter, int perSecond, CancellationToken cancel) =>
        throw new NotSupportedException("Wolverine's store keeps no account of a replay. Letters are sent again one by one here; replay by filter works on the kernel only.");

    public Task<ReplayRun?> FindReplay(Guid id, CancellationToken cancel) => Task.FromResult<ReplayRun?>(null);

    public Task<IReadOnlyList<ReplayRun>> ListReplays(int limit, CancellationToken cancel) => Task.FromResult<IReadOnlyList<ReplayRun>>([]);

    public async Task<IReadOnlyList<DeadLetter>> ListDeadLetters(int limit, Guid? after, CancellationToken cancel)
    {
        var all = await All(messageType: null, cancel);
        var rest = after is { } last ? all.SkipWhile(it => it.Id != last).Skip(1) : all;
        return [.. rest.Take(limit).Select(Told)];
    }

    public async Task<DeadLetter?> FindDeadLetter(Guid id, CancellationToken cancel) =>
        await DeadLetters.DeadLetterEnvelopeByIdAsync(id) is { } found ? Told(found) : null;

    public async Task<bool> Replay(Guid id, CancellationToken cancel)
    {
        if (await FindDeadLetter(id, cancel) is null)
            return false;
        await DeadLetters.ReplayAsync(new DeadLetterEnvelopeQuery([id]), cancel);
        return true;
    }

    public async Task<int> ReplayAll(string? messageType, int perSecond, CancellationToken cancel)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(perSecond, 1);
        var all = await All(messageType, cancel);
        foreach (var some in all.OrderBy(it => it.SentAt).Chunk(perSecond))
        {
            await DeadLetters.ReplayAsync(new DeadLetterEnvelopeQuery([.. some.Select(it => it.Id)]), cancel);
            await Task.Delay(TimeSpan.FromSeconds(1), clock, cancel);
        }

        return all.Count;
    }

    /// <summary>Wolverine deletes what is discarded, and the reason with it.</summary>
    public async Task<bool> Discard(Guid id, string reason, CancellationToken cancel)
    {
        if (await FindDeadLetter(id, cancel) is null)
            return false;
        await DeadLetters.DiscardAsync(new DeadLetterEnvelopeQuery([id]), cancel);
        return true;
    }

    public async Task WaitForIdle(TimeSpan timeout)
    {
        var began = clock.GetTimestamp();
        while ((await runtime.Storage.Admin.FetchCountsAsync()).Incoming > 0)
        {
            if (clock.GetElapsedTime(began) > timeout)
                throw new TimeoutException("There are still messages to be handled.");
            await Task.Delay(IdleLook, clock);
        }
    }

    private async Task<List<DeadLetterEnvelope>> All(string? messageType, CancellationToken cancel)
    {
        var all = new List<DeadLetterEnvelope>();
        for (var page = 1; ; page++)
        {
            var found = await DeadLetters.QueryAsync(new DeadLetterEnvelopeQuery { PageNumber = page, PageSize = PageSize, MessageType = messageType }, cancel);
            all.AddRange(found.Envelopes);
            if (found.Envelopes.Count < PageSize)
                return [.. all.OrderByDescending(it => it.SentAt).ThenBy(it => it.Id)];
        }
    }

    private static StoredMessage Shown(DeadLetter it) => new(
        it.Id, MessageState.Dead, it.MessageType, it.Queue, it.GroupId, it.Body, it.Errors, it.Attempts, it.Replays, it.TraceId, it.SentAt,
        DueAt: null, Node: null, it.Reason, it.DiedAt, it.DiscardedAt, it.DiscardReason);

    private static DeadLetter Told(DeadLetterEnvelope it) => new(
        it.Id,
        it.MessageType,
        Uri.TryCreate(it.ReceivedAt, UriKind.Absolute, out var queue) ? queue.Host : it.ReceivedAt,
        it.Envelope.GroupId,
        it.Envelope.Data is { } data ? Encoding.UTF8.GetString(data) : "",
        it.ExceptionMessage,
        [new(it.SentAt, it.Envelope.Attempts, it.ExceptionType, it.ExceptionMessage)],
        it.Envelope.Attempts,
        Replays: 0,
        it.Envelope.CorrelationId ?? "",
        it.SentAt,
        DiedAt: it.SentAt,
        DiscardedAt: null,
        DiscardReason: null);
}
