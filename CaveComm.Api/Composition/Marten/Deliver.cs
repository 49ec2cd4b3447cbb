namespace CaveComm.Api.Composition;

/// <summary>How messages are asked to travel, where the two buses differ.</summary>
internal static class Deliver
{
    /// <summary>The id travels with the message; Wolverine drops nothing by it unless its message deduplication is switched on, with one window for all.</summary>
    public static DeliveryOptions Once(string id, TimeSpan remembered) =>
        remembered > TimeSpan.Zero ? new() { DeduplicationId = id } : throw new ArgumentOutOfRangeException(nameof(remembered));
}
