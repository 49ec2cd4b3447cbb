using CaveComm.EventStore;
using Microsoft.Extensions.DependencyInjection;

namespace CaveComm.Messaging;

/// <summary>Calls a handler in a scope of its own and commits what it did in one transaction.</summary>
internal sealed class HandlerExecutor(MessagingNode node, MessageCatalog catalog, MessagingOptions options, IServiceScopeFactory scopes, MessageFactory factory)
{
    /// <returns>Whether the message ended with the handler's transaction; if not, there was no transaction and the caller ends it.</returns>
    public async Task<bool> Execute(MessageType type, object message, Envelope envelope, Delivery? delivery, CancellationToken cancel)
    {
        await using var scope = scopes.CreateAsyncScope();
        var context = scope.ServiceProvider.GetRequiredService<MessageContext>();
        var participant = new OutboxParticipant(node, delivery) { HandlerRuns = true };
        await using var session = type.Handler.UsesSession ? scope.ServiceProvider.GetRequiredService<IDocumentStore>().LightweightSession() : null;
        if (session is not null)
        {
            session.CorrelationId = envelope.CorrelationId;
            session.CausationId = envelope.Id.ToString();
            session.LastModifiedBy = $"message:{envelope.MessageType}";
            participant.Join(session);
        }

        context.Begin(envelope, participant);
        await Probe(DeliveryStep.Taken, envelope);
        context.Send(await type.Handler.Call(new HandlerInput(message, envelope, scope.ServiceProvider, session, context, cancel)));
        participant.HandlerRuns = false;
        await Probe(DeliveryStep.Handled, envelope);
        node.ThrowIfKilled();

        // The commit is not cancelled half-way: nobody could tell what became of it.
        var commits = true;
        if (session is not null && !(participant.IsEmpty && ((ISessionTransaction)session).WritesOnly(participant)))
        {
            await session.SaveChangesAsync(CancellationToken.None);
        }
        else if (!participant.IsEmpty) // So there is no session: with one it would have been written above.
        {
            await participant.CommitAlone(CancellationToken.None);
        }
        else
        {
            commits = false;
        }

        await Probe(DeliveryStep.Committed, envelope);
        return commits;
    }

    /// <summary>Runs a handler in the caller's stead, without storing the message. A lost race is tried again at once, as it would be in a queue; other errors are the caller's.</summary>
    public async Task Invoke(object message, string? correlation, TimeSpan? timeout, CancellationToken cancel)
    {
        var outgoing = factory.Create(message, null, correlation);
        using var limited = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        if (timeout is { } atMost)
        {
            limited.CancelAfter(atMost);
        }

        for (var attempt = 1; ; attempt++)
        {
            using var activity = MessagingDiagnostics.StartHandling(outgoing.Envelope);
            try
            {
                await Execute(catalog.For(outgoing.Message.GetType()), outgoing.Message, outgoing.Envelope with { Attempt = attempt }, delivery: null, limited.Token);
                return;
            }
            catch (Exception failure) when (options.Decide(failure) is FailureAction.RetryNow now && attempt <= now.Limit)
            {
                activity.AddException(failure);
            }
        }
    }

    private ValueTask Probe(DeliveryStep step, Envelope envelope) => options.Probe?.Invoke(step, envelope.Id) ?? ValueTask.CompletedTask;
}
