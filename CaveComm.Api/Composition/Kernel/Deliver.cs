namespace CaveComm.Api.Composition;

/// <summary>How messages are asked to travel, where the two buses differ.</summary>
internal static class Deliver
{
    /// <summary>A second message of the same id is dropped for so long.</summary>
    public static DeliveryOptions Once(string id, TimeSpan remembered) => new() { DeduplicationId = id, DeduplicationWindow = remembered };
}
