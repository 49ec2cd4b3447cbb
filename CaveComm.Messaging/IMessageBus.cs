namespace CaveComm.Messaging;

/// <summary>Sends messages to their handlers.</summary>
public interface IMessageBus
{
    /// <summary>Stores the message (with the enrolled session's next save, else at once) and lets its handler run, here or on another node, after the commit.</summary>
    ValueTask PublishAsync<T>(T message, DeliveryOptions? options = null);

    /// <summary>Runs the handler now, in this call; what it publishes commits with its work.</summary>
#pragma warning disable CA1068 // The order of Wolverine's parameters.
    Task InvokeAsync(object message, CancellationToken cancellation = default, TimeSpan? timeout = default);
#pragma warning restore CA1068
}

/// <summary>A bus whose messages leave only when a session commits: enrol the session, publish, then save the session.</summary>
public interface IOutbox : IMessageBus
{
    void Enroll(CaveComm.EventStore.IDocumentSession session);
}

/// <summary>How one message is to be delivered.</summary>
public sealed record DeliveryOptions
{
    /// <summary>Not before this moment (UTC).</summary>
    public DateTimeOffset? ScheduledTime { get; set; }

    /// <summary>Not before this long from now.</summary>
    public TimeSpan? ScheduleDelay { get; set; }

    /// <summary>Messages of one group run one at a time, in the order of their commits.</summary>
    public string? GroupId { get; set; }

    /// <summary>A second message with the same id is dropped while the first is remembered.</summary>
    public string? DeduplicationId { get; set; }

    /// <summary>How long <see cref="DeduplicationId"/> is remembered; <see cref="MessagingOptions.DeduplicationWindow"/> when not set.</summary>
    public TimeSpan? DeduplicationWindow { get; set; }

    public Dictionary<string, string> Headers { get; } = [];
}

/// <summary>What a handler sends next: plain messages, or messages wrapped by <c>DelayedFor</c>, <c>ScheduledAt</c> or <c>WithGroupId</c>.</summary>
public sealed class OutgoingMessages : List<object>
{
    public void Delay<T>(T message, TimeSpan delay)
        where T : notnull => Add(message.DelayedFor(delay));

    public void Schedule<T>(T message, DateTimeOffset time)
        where T : notnull => Add(message.ScheduledAt(time));
}

/// <summary>A message with its own delivery options.</summary>
public sealed record DeliveryMessage<T>(T Message, DeliveryOptions Options) : IDeliveryMessage
{
    object IDeliveryMessage.Message => Message ?? throw new ArgumentException("A message cannot be null.");
}

/// <summary>A wrapped message whose type is not known where it is sent.</summary>
internal interface IDeliveryMessage
{
    object Message { get; }

    DeliveryOptions Options { get; }
}

public static class MessageExtensions
{
    public static DeliveryMessage<T> DelayedFor<T>(this T message, TimeSpan delay) => new(message, new DeliveryOptions { ScheduleDelay = delay });

    public static DeliveryMessage<T> ScheduledAt<T>(this T message, DateTimeOffset time) => new(message, new DeliveryOptions { ScheduledTime = time });

    public static DeliveryMessage<T> WithGroupId<T>(this T message, string groupId) => new(message, new DeliveryOptions { GroupId = groupId });

    public static ValueTask ScheduleAsync<T>(this IMessageBus bus, T message, DateTimeOffset time, DeliveryOptions? options = null) =>
        bus.PublishAsync(message, (options ?? new DeliveryOptions()) with { ScheduledTime = time });

    public static ValueTask ScheduleAsync<T>(this IMessageBus bus, T message, TimeSpan delay, DeliveryOptions? options = null) =>
        bus.PublishAsync(message, (options ?? new DeliveryOptions()) with { ScheduleDelay = delay });
}
