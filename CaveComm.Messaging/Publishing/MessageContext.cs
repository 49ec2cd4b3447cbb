using System.Collections;
using System.Runtime.CompilerServices;
using CaveComm.EventStore;

namespace CaveComm.Messaging;

/// <summary>The bus of one scope: a request, or the handling of one message.</summary>
internal sealed class MessageContext(MessageFactory factory, MessagingNode node) : IOutbox
{
    private OutboxParticipant? outbox;
    private OutboxParticipant? ending;
    private Envelope? handled;

    private string? Correlation => outbox?.Session?.CorrelationId ?? handled?.CorrelationId;

    public void Enroll(IDocumentSession session)
    {
        if (outbox?.Session != session)
        {
            outbox = new OutboxParticipant(node, delivery: null);
            outbox.Join(session);
        }
    }

    public async ValueTask PublishAsync<T>(T message, DeliveryOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(message);
        var outgoing = factory.Create(message, options, Correlation);
        if (outbox is not null)
        {
            outbox.Add(outgoing);
            return;
        }

        var alone = new OutboxParticipant(node, delivery: null);
        alone.Add(outgoing);
        await alone.CommitAlone(CancellationToken.None);
    }

    public Task InvokeAsync(object message, CancellationToken cancellation = default, TimeSpan? timeout = default) => node.Executor.Invoke(message, Correlation, timeout, cancellation);

    /// <summary>From here on what is published commits with the handler's work.</summary>
    internal void Begin(Envelope envelope, OutboxParticipant participant)
    {
        handled = envelope;
        (outbox, ending) = (participant, participant);
    }

    /// <summary>Sends what a handler returned: nothing, a message, a wrapped one, a tuple or a list of these.</summary>
    /// <remarks>It goes with the end of the handler's message, whatever session the handler enrolled: that one is saved already.</remarks>
    internal void Send(object? returned)
    {
        switch (returned)
        {
            case null:
                return;
            case IDeliveryMessage or not (IEnumerable or ITuple):
                ending!.Add(factory.Create(returned, null, Correlation));
                return;
            case IEnumerable<object> list:
                foreach (var item in list)
                {
                    Send(item);
                }

                return;
            case ITuple tuple:
                for (var i = 0; i < tuple.Length; i++)
                {
                    Send(tuple[i]);
                }

                return;
            default:
                ending!.Add(factory.Create(returned, null, Correlation));
                return;
        }
    }
}
