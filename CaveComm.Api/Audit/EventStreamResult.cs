using System.Runtime.CompilerServices;
using CaveComm.Api.Http;

namespace CaveComm.Api.Audit;

/// <summary>The log as NDJSON, sent while it is read.</summary>
internal sealed class EventStreamResult(AuditReading audit, EventFilter filter) : IResult
{
    private const int MostReaders = 8;

    // A reader has a connection of its own for as long as it listens: those that the server has are for everybody.
    private static readonly SemaphoreSlim Readers = new(MostReaders);

    public async Task ExecuteAsync(HttpContext httpContext)
    {
        ArgumentNullException.ThrowIfNull(httpContext);
        if (!Readers.Wait(0, CancellationToken.None))
        {
            await Problems.TooMany(httpContext, $"{MostReaders} others read the log here at the moment. Try again when one has ended.", TimeSpan.FromSeconds(10)).ExecuteAsync(httpContext);
            return;
        }

        try
        {
            await Send(httpContext);
        }
        finally
        {
            Readers.Release();
        }
    }

    private async Task Send(HttpContext httpContext)
    {
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
