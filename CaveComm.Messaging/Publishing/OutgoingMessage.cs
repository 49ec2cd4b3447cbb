namespace CaveComm.Messaging;

/// <summary>A message on its way into the table.</summary>
internal sealed record OutgoingMessage(
    Guid Id, MessageType Type, object Message, byte[] Body, Envelope Envelope, byte[] Headers, DateTimeOffset DueAt, DateTimeOffset Now, bool Scheduled, string? GroupId,
    string? DeduplicationId, TimeSpan DeduplicationWindow)
{
    /// <summary>Whether the publishing node takes it into hand as it is stored; decided when the batch is put together.</summary>
    public bool Owned { get; set; }

    /// <summary>When the batch was put together, which is before the lease began.</summary>
    public long OwnedSince { get; set; }

    /// <summary>The place in the running order of a group's message that is owned.</summary>
    public long Seq { get; set; }

    /// <summary>Only such a message may be run from memory: whether a duplicate was dropped is known to the table alone.</summary>
    public bool CanBeHandedOver => !Scheduled && DeduplicationId is null;
}
