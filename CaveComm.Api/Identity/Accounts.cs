using System.Collections.Concurrent;
using CaveComm.Domain;
using CaveComm.Domain.Identity;

namespace CaveComm.Api.Identity;

/// <summary>
/// Accounts as they stand. A request sees a state at most a second old, so a role that was taken away is gone at once for all that a
/// person would notice, while a page with twenty requests folds the stream once.
/// </summary>
internal sealed class Accounts(IDocumentStore store, TimeProvider clock)
{
    private static readonly TimeSpan KeptFor = TimeSpan.FromSeconds(1);
    private const int MostKept = 10_000;

    private readonly ConcurrentDictionary<Guid, (Caller? Caller, DateTimeOffset ReadAt)> kept = new();

    /// <returns>Null when there is no such account.</returns>
    public async Task<Caller?> Find(Guid id, CancellationToken cancel)
    {
        if (kept.TryGetValue(id, out var known) && clock.GetUtcNow() - known.ReadAt < KeptFor)
        {
            return known.Caller;
        }

        var readAt = clock.GetUtcNow();
        await using var session = store.QuerySession();
        var account = await session.Events.AggregateStreamAsync<Account>(StreamKey.Account(id), token: cancel);
        var caller = account is { Exists: true } it ? new Caller(id, it.Username, it.Handle, it.Roles) : null;
        if (kept.Count >= MostKept)
        {
            kept.Clear();
        }

        kept[id] = (caller, readAt);
        return caller;
    }

    /// <summary>The next request on this node reads it anew.</summary>
    public void Forget(Guid id) => kept.TryRemove(id, out _);
}
