using CaveComm.Domain;
using CaveComm.Domain.Commissions;
using CaveComm.Domain.Delivery;

namespace CaveComm.Api.Recurring;

/// <summary>A file that is being taken in. Written before the file, gone with the commit that names it; what stays was left by a kill in between.</summary>
/// <param name="Id">The file's id.</param>
public sealed record PendingUpload(string Id, Guid Commission, DateTimeOffset BegunAt)
{
    public static PendingUpload Of(Guid file, Guid commission, DateTimeOffset now) => new(Key(file), commission, now);

    public static string Key(Guid file) => file.ToString("N");
}

/// <summary>Removes files that no stream names, without a look at the store or the log as a whole.</summary>
/// <param name="files">Found when it is needed: a node without storage has nothing to remove.</param>
internal sealed class OrphanFiles(Func<IFileStore> files) : IRecurringWork
{
    /// <summary>Longer than any upload takes, and any transaction.</summary>
    internal static readonly TimeSpan Age = TimeSpan.FromDays(7);

    private const int MostAtOnce = 200;

    public string Name => "orphan-files";

    public TimeSpan Every => TimeSpan.FromHours(1);

    public async Task<OutgoingMessages> Run(IDocumentSession session, DateTimeOffset now, CancellationToken cancel)
    {
        var left = await session.QueryAsync<PendingUpload>("where begun_at < ? order by begun_at limit ?", cancel, now - Age, MostAtOnce);
        foreach (var uploads in left.GroupBy(it => it.Commission))
        {
            // The note goes with the commit, so none of these should be named. Looked up all the same: a product is worth more than a query.
            var events = await session.Events.FetchStreamAsync(StreamKey.Commission(uploads.Key), token: cancel);
            var named = events.Select(it => it.Data).OfType<CommissionEvent.ProductUploaded>().SelectMany(it => it.Files)
                .Select(file => PendingUpload.Key(file.FileId)).ToHashSet(StringComparer.Ordinal);
            foreach (var upload in uploads)
            {
                if (!named.Contains(upload.Id))
                {
                    await files().Delete(Guid.ParseExact(upload.Id, "N"), cancel);
                }

                session.Delete<PendingUpload>(upload.Id);
            }
        }

        return [];
    }
}
