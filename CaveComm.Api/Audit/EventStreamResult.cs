using System.Runtime.CompilerServices;

namespace CaveComm.Api.Audit;

/// <summary>The log as NDJSON, sent while it is read.</summary>
internal sealed class EventStreamResult(AuditReading audit, EventFilter filter) : IResult
{
    public async Task ExecuteAsync(HttpContext httpContext)
    {
        ArgumentNullException.ThrowIfNull(httpContext);
        var gone = httpContext.RequestAborted;
        httpContext.Response.ContentType = EventLines.MediaType;
        httpContext.Response.Headers.CacheControl = "no-store";
        if (HttpMethods.IsHead(httpContext.Request.Method))
        {
            return;
        }

        // The first event is fetched before the first byte is sent, so that a log that cannot be read is answered with a problem.
        // What breaks later ends the connection without the last chunk: nobody can take half a log for a whole one.
        await using var events = audit.Read(filter, gone).GetAsyncEnumerator(gone);
        try
        {
            var any = await events.MoveNextAsync();
            await httpContext.Response.StartAsync(gone);
            if (any)
            {
                await EventLines.Write(From(events, gone), httpContext.Response.Body, written: null, gone);
            }
        }
        catch (OperationCanceledException) when (gone.IsCancellationRequested)
        {
            // Nobody listens any more, and nobody has to be told.
        }
    }

    private static async IAsyncEnumerable<StoredEvent> From(IAsyncEnumerator<StoredEvent> events, [EnumeratorCancellation] CancellationToken cancel)
    {
        do
        {
            cancel.ThrowIfCancellationRequested();
            yield return events.Current;
        }
        while (await events.MoveNextAsync());
    }
}
