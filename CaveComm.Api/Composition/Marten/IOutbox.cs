using Wolverine.Marten;
using Wolverine.Runtime;

// Found under this short name by everything in CaveComm.Api, as the kernel's is by its global using.
namespace CaveComm.Api;

/// <summary>Messages that leave only when a session commits: enrol the session, publish, then save the session.</summary>
public interface IOutbox
{
    /// <summary>From here on, messages leave with this session. What was published for an earlier one that was not saved is forgotten.</summary>
    void Enroll(IDocumentSession session);

    ValueTask PublishAsync<T>(T message, DeliveryOptions? options = null);
}

/// <summary>
/// Wolverine's outbox for Marten, a new one for each session: its own keeps what was published for a session whose save lost a race,
/// and would send it with the next.
/// </summary>
internal sealed class SessionOutbox(IWolverineRuntime runtime) : IOutbox
{
    private MartenOutbox? outbox;

    public void Enroll(IDocumentSession session) => outbox = new MartenOutbox(runtime, session);

    public ValueTask PublishAsync<T>(T message, DeliveryOptions? options = null) =>
        (outbox ?? throw new InvalidOperationException("Enrol a session first.")).PublishAsync(message, options);
}
