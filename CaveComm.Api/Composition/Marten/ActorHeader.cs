using Marten;

namespace CaveComm.Api.Composition;

/// <summary>Records who acts in the headers of every event, where the kernel keeps it too. Marten has a column of its own for it, which our tables lack.</summary>
internal sealed class ActorHeader : DocumentSessionListenerBase
{
    private const string Header = "actor";

    public override Task BeforeSaveChangesAsync(IDocumentSession session, CancellationToken token)
    {
        if (session.LastModifiedBy is { } actor)
        {
            foreach (var happened in session.PendingChanges.Streams().SelectMany(stream => stream.Events))
            {
                happened.SetHeader(Header, actor);
            }
        }

        return Task.CompletedTask;
    }
}
