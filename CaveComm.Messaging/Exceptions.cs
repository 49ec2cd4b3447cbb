namespace CaveComm.Messaging;

/// <summary>The handlers or options do not fit together; the process does not start.</summary>
/// <param name="faults">Every fault found, each naming its class and parameter.</param>
public sealed class MessagingConfigurationException(IReadOnlyList<string> faults)
    : Exception("Messaging cannot start:" + string.Concat(faults.Select(fault => "\n  " + fault)))
{
    public IReadOnlyList<string> Faults { get; } = faults;
}

/// <summary>A message was sent that nobody handles.</summary>
public sealed class MissingHandlerException(Type messageType)
    : Exception($"No handler takes {messageType.FullName}: a public static class named …Handler with a public static Handle({messageType.Name}, …) is needed.");

/// <summary>This node took too long and another one has the message now: what this attempt did was not committed.</summary>
public sealed class MessageLeaseLostException(Guid messageId, Exception? inner = null)
    : Exception($"Message {messageId} is no longer this node's; its work here was undone.", inner)
{
    public Guid MessageId { get; } = messageId;
}
