namespace CaveComm.Api.Http;

/// <summary>Tells how far a view has followed the log.</summary>
public interface IViewFreshness
{
    /// <returns>False when the view has not got to this place in time.</returns>
    Task<bool> WaitFor<TView>(long position, TimeSpan patience, CancellationToken cancel)
        where TView : class;

    /// <returns>False when a view that waits behind an event it cannot apply may still show somebody who is erased.</returns>
    Task<bool> HaveForgotten(TimeSpan patience, CancellationToken cancel);
}

internal static class ViewFreshness
{
    /// <summary>Waits until the view shows what the caller has written or seen; says so when it does not in time.</summary>
    public static async Task AwaitView<TView>(this HttpContext http, IViewFreshness views, CancellationToken cancel)
        where TView : class
    {
        if (http.AskedPosition() is { } position && !await views.WaitFor<TView>(position, Position.Patience, cancel))
        {
            http.AnswerStale();
        }
    }
}
