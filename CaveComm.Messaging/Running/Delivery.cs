using System.Text.Json;

namespace CaveComm.Messaging;

/// <summary>A message in this node's hands.</summary>
internal sealed class Delivery(
    Guid id, MessageType type, string? groupId, long seq, int claims, int attempts, DateTimeOffset dueAt, object? message, string? body, Envelope envelope, long takenAt)
{
    private const int Alone = 0;
    private const int Followed = 1;
    private const int Over = 2;

    private readonly Lock gate = new();
    private CancellationTokenSource? running;
    private object? content = message;
    private bool lost;
    private int place;

    public Guid Id => id;

    public MessageType Type => type;

    public string? GroupId => groupId;

    /// <summary>Its place in the running order; 0 where it does not matter.</summary>
    public long Seq => seq;

    /// <summary>Whether others of its group are known to wait behind it.</summary>
    public bool IsFollowed => Volatile.Read(ref place) == Followed;

    /// <summary>How often the message was taken into hand; with the owner it is the fence.</summary>
    public int Claims => claims;

    /// <summary>Failed attempts on record.</summary>
    public int Attempts => attempts;

    public DateTimeOffset DueAt => dueAt;

    public Envelope Envelope => envelope;

    /// <summary>Milliseconds of this process; not after the lease began.</summary>
    public long LeasedAt { get; set; } = takenAt;

    public bool IsLost => lost;

    /// <exception cref="UnreadableMessageException">The stored body does not fit the type.</exception>
    public object Read(JsonSerializerOptions json)
    {
        try
        {
            return content ??= JsonSerializer.Deserialize(body!, type.Type, json) ?? throw new JsonException("The body is null.");
        }
        catch (Exception failure) when (failure is JsonException or NotSupportedException or ArgumentException or FormatException or OverflowException)
        {
            throw new UnreadableMessageException(failure);
        }
    }

    /// <summary>Another message of its group has been committed.</summary>
    /// <returns>False when this one is over: nobody will look for the other on its account.</returns>
    public bool Follow() => Interlocked.CompareExchange(ref place, Followed, Alone) != Over;

    /// <summary>This node has done with it.</summary>
    public void Close() => Volatile.Write(ref place, Over);

    /// <summary>A token for the handler that ends with the node, and when the message is lost.</summary>
    public CancellationTokenSource Begin(CancellationToken stopped)
    {
        var source = CancellationTokenSource.CreateLinkedTokenSource(stopped);
        lock (gate)
        {
            running = source;
            if (lost)
            {
                source.Cancel();
            }
        }

        return source;
    }

    public void End()
    {
        lock (gate)
        {
            running?.Dispose();
            running = null;
        }
    }

    /// <summary>Another node has it, or may: whoever still works on it shall stop.</summary>
    public void Lose()
    {
        lock (gate)
        {
            lost = true;
            running?.Cancel();
        }
    }
}

/// <summary>A stored body that is no message of its type.</summary>
internal sealed class UnreadableMessageException(Exception inner) : Exception(inner.Message, inner);
