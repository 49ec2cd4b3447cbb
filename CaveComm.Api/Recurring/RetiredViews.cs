namespace CaveComm.Api.Recurring;

/// <summary>Drops what deployments left behind: views of earlier versions, which an erasure of somebody's data would not reach.</summary>
/// <param name="operations">Found when it is needed: the command line plans rounds without projections.</param>
internal sealed partial class RetiredViews(Func<IProjectionOperations> operations, ILogger<RetiredViews> log) : IRecurringWork
{
    /// <summary>Long enough for a step back to find its tables as they were, which is quicker than building them anew.</summary>
    internal static readonly TimeSpan Idle = TimeSpan.FromDays(1);

    public string Name => "retired-views";

    public TimeSpan Every => TimeSpan.FromHours(6);

    public async Task<OutgoingMessages> Run(IDocumentSession session, DateTimeOffset now, CancellationToken cancel)
    {
        foreach (var table in await operations().DropRetired(Idle, cancel))
        {
            LogDropped(log, table);
        }

        return [];
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "The table {Table} of an earlier version was dropped: no node feeds it any more")]
    private static partial void LogDropped(ILogger log, string table);
}
