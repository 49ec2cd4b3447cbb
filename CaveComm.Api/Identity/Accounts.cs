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

    private readonly ConcurrentDictionary<Guid, (Caller? Caller, Account? Account, DateTimeOffset ReadAt)> kept = new();

    /// <returns>Null when there is no such account.</returns>
    public async Task<Caller?> Find(Guid id, CancellationToken cancel) => (await Read(id, cancel)).Caller;

    /// <summary>The account's whole state, as fresh as <see cref="Find"/> has it.</summary>
    public async Task<Account?> FindAccount(Guid id, CancellationToken cancel) => (await Read(id, cancel)).Account;

    /// <summary>The next request on this node reads it anew.</summary>
    public void Forget(Guid id) => kept.TryRemove(id, out _);

    private async Task<(Caller? Caller, Account? Account)> Read(Guid id, CancellationToken cancel)
    {
        if (kept.TryGetValue(id, out var known) && clock.GetUtcNow() - known.ReadAt < KeptFor)
        {
            return (known.Caller, known.Account);
        }

        var readAt = clock.GetUtcNow();
        await using var session = store.QuerySession();
        var account = await session.Events.AggregateStreamAsync<Account>(StreamKey.Account(id), token: cancel);
        var caller = account is { Exists: true } it ? new Caller(id, it.Username, it.Handle, it.Roles) { SessionsGeneration = it.SessionsGeneration } : null;
        if (kept.Count >= MostKept)
        {
            kept.Clear();
        }

        kept[id] = (caller, account, readAt);
        return (caller, account);
    }
}
