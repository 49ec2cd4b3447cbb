using System.Collections.Concurrent;
using CaveComm.Messaging;

namespace CaveComm.Tests.Messaging;

/// <summary>What the handlers of one test saw, and how they shall behave.</summary>
public sealed class Journal
{
    private readonly ConcurrentQueue<(object Message, Envelope Envelope)> calls = new();
    private readonly ConcurrentDictionary<Type, Func<object, Envelope, CancellationToken, Task>> behaviours = new();

    public IReadOnlyList<(object Message, Envelope Envelope)> Calls => [.. calls];

    public IEnumerable<T> Seen<T>() => calls.Select(call => call.Message).OfType<T>();

    public IEnumerable<Envelope> EnvelopesOf<T>() => calls.Where(call => call.Message is T).Select(call => call.Envelope);

    /// <summary>Each call of this message's handler does this after it was noted.</summary>
    public Journal When<T>(Func<T, Envelope, CancellationToken, Task> behaviour)
    {
        behaviours[typeof(T)] = (message, envelope, cancel) => behaviour((T)message, envelope, cancel);
        return this;
    }

    public Journal When<T>(Action<T, Envelope> behaviour) => When<T>((message, envelope, _) =>
    {
        behaviour(message, envelope);
        return Task.CompletedTask;
    });

    public Task Note(object message, Envelope envelope, CancellationToken cancel)
    {
        calls.Enqueue((message, envelope));
        return behaviours.TryGetValue(message.GetType(), out var behaviour) ? behaviour(message, envelope, cancel) : Task.CompletedTask;
    }
}
