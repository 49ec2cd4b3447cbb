using CaveComm.Api.Http.Idempotency;
using CaveComm.Domain;
using CaveComm.Domain.Admin;

namespace CaveComm.Api.Admin;

/// <summary>Who asks, and why. It stands in the log beside what was asked.</summary>
/// <param name="Account">Null for whoever sits at the command line.</param>
internal sealed record Asker(Guid? Account, string? Reason)
{
    public static Asker Operator(string? reason) => new(null, string.IsNullOrWhiteSpace(reason) ? null : reason.Trim());

    public string Actor => Account is { } id ? $"account:{id:D}" : "operator";
}

/// <summary>A projection with what an administrator wants to know about it.</summary>
/// <param name="Parked">How many keys are parked.</param>
public sealed record ProjectionDetail(
    string Name,
    uint Version,
    string State,
    long Position,
    long LagEvents,
    double LagSeconds,
    int Parked,
    RebuildProgress? Rebuild,
    string? Error,
    IReadOnlyList<ParkedKey> ParkedKeys)
{
    internal static ProjectionDetail Of(ProjectionSummary it, IReadOnlyList<ParkedKey> parked) =>
        new(it.Name, it.Version, it.State, it.Position, it.LagEvents, it.LagSeconds, it.Parked, it.Rebuild, it.Error, parked);
}

/// <summary>What administrators do to projections, by HTTP or at the command line: each act is recorded, then done.</summary>
/// <remarks>
/// Recorded first, so that nothing is ever done that the log does not know of. What is refused (an unknown name, a rebuild that runs) and
/// what would change nothing is not recorded; of two who ask in the same moment both may be, since both did ask. The act itself is harmless twice.
/// </remarks>
internal sealed class ProjectionDesk(IProjectionOperations operations, IDocumentStore store, IKeyedWrites keyed)
{
    public Task<IReadOnlyList<ProjectionSummary>> List(CancellationToken cancel) => operations.List(cancel);

    /// <exception cref="UnknownProjectionException"/>
    public async Task<ProjectionDetail> Show(string name, CancellationToken cancel)
    {
        var summary = await Find(name, cancel);
        return ProjectionDetail.Of(summary, summary.Parked == 0 ? [] : await operations.Parked(name, cancel));
    }

    /// <exception cref="UnknownProjectionException"/>
    /// <exception cref="RebuildRunningException"/>
    public async Task RequestRebuild(string name, Asker asker, CancellationToken cancel)
    {
        if ((await Find(name, cancel)).Rebuild is { } running && IsUnderWay(running))
        {
            if (keyed.Resumes)
            {
                return; // It is the one that this request asked for before its node died.
            }

            throw new RebuildRunningException(name, running);
        }

        await Record(name, new ProjectionEvent.RebuildRequested(asker.Account, asker.Reason), asker, cancel);
        await operations.RequestRebuild(name, cancel);
    }

    /// <summary>
    /// Rebuilds in this process and returns when the new table is in place. A rebuild that was asked for before, and that no process is at
    /// (it was paused, or its process died), goes on here; it has been recorded.
    /// </summary>
    /// <exception cref="UnknownProjectionException"/>
    /// <exception cref="RebuildRunningException"/>
    /// <exception cref="RebuildPausedException">Somebody paused it meanwhile.</exception>
    public async Task Rebuild(string name, Asker asker, IProgress<RebuildProgress> progress, CancellationToken cancel)
    {
        if (!IsUnderWay((await Find(name, cancel)).Rebuild))
        {
            await Record(name, new ProjectionEvent.RebuildRequested(asker.Account, asker.Reason), asker, cancel);
        }

        await operations.Rebuild(name, progress, cancel);
    }

    /// <returns>False when it was paused already.</returns>
    public async Task<bool> Pause(string name, Asker asker, CancellationToken cancel)
    {
        var changes = !IsPaused(await Find(name, cancel));
        if (changes)
        {
            await Record(name, new ProjectionEvent.Paused(asker.Account, asker.Reason), asker, cancel);
        }

        await operations.Pause(name, cancel);
        return changes;
    }

    /// <returns>False when it was not paused.</returns>
    public async Task<bool> Resume(string name, Asker asker, CancellationToken cancel)
    {
        var changes = IsPaused(await Find(name, cancel));
        if (changes)
        {
            await Record(name, new ProjectionEvent.Resumed(asker.Account, asker.Reason), asker, cancel);
        }

        await operations.Resume(name, cancel);
        return changes;
    }

    /// <param name="key">Only this parked key; null for all.</param>
    public async Task<RetryOutcome> Retry(string name, string? key, Asker asker, CancellationToken cancel)
    {
        if ((await Find(name, cancel)).Parked > 0)
        {
            await Record(name, new ProjectionEvent.Retried(asker.Account, asker.Reason, key), asker, cancel);
        }

        return await operations.Retry(name, key, cancel);
    }

    public static bool IsUnderWay(RebuildProgress? rebuild) => rebuild is { State: "requested" or "running" or "paused" };

    private static bool IsPaused(ProjectionSummary it) => it.State == "paused" || it.Rebuild is { State: "paused" };

    private async Task<ProjectionSummary> Find(string name, CancellationToken cancel)
    {
        var all = await operations.List(cancel);
        return all.FirstOrDefault(it => it.Name == name) ?? throw new UnknownProjectionException(name, [.. all.Select(it => it.Name)]);
    }

    private async Task Record(string name, ProjectionEvent happened, Asker asker, CancellationToken cancel)
    {
        if (keyed.Resumes)
        {
            return;
        }

        await using var session = store.LightweightSession();
        session.LastModifiedBy = asker.Actor;
        keyed.Enroll(session);
        session.Events.Append(StreamKey.Projection(name), happened);
        await session.SaveChangesAsync(cancel);
    }
}
