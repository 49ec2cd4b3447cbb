namespace CaveComm.EventStore;

/// <summary>Rows with which Marten fills numbers of the log that an append of its own has burnt: nothing happened there.</summary>
/// <remarks>
/// Their versions are the numbers, and so have gaps. Only both names together make one: what stands in that stream by another name, or elsewhere by
/// this one, is an event like any, else whoever writes to the table could hide one there.
/// </remarks>
internal static class Tombstones
{
    private const string Stream = "mt_tombstone";
    private const string Alias = "tombstone";

    /// <summary>Whether a row <c>e</c> of <c>mt_events</c> is one. It is never null, though a stream may be.</summary>
    public const string Condition = $"(e.stream_id is not distinct from '{Stream}' and e.type = '{Alias}')";

    public static bool Include(IEvent happened) => happened.StreamKey == Stream && happened.EventTypeName == Alias;
}
