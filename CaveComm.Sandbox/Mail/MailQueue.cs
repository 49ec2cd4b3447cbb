using CaveComm.Sandbox.Storage;
using CaveComm.Sandbox.Webhooks;

namespace CaveComm.Sandbox.Mail;

/// <summary>Mails on their way to a sink, queued with the change that sends them. One that the sink refuses by throwing is tried again.</summary>
public sealed class MailQueue : IAsyncDisposable
{
    private const string Lane = "mail";

    private readonly DurableQueue queue;

    /// <param name="sink">Hands a mail over; null where nobody takes mails, then they wait.</param>
    public MailQueue(SandboxStore store, string name, Func<SandboxMail, CancellationToken, Task>? sink, TimeProvider time) =>
        queue = new DurableQueue(
            store,
            name + ".mails",
            RetrySchedule.Sandbox,
            time,
            async (item, cancel) =>
            {
                await sink!(SandboxMail.FromDocument(item.Content), cancel);
                return new Attempted(Attempted.Verdict.Done, "handed over");
            },
            _ => sink is not null);

    public void Start() => queue.Start();

    public void Enqueue(SandboxStore.Work work, SandboxMail mail) => queue.Enqueue(work, Lane, mail.MessageId, mail.ToDocument());

    public IReadOnlyList<QueuedItem> Waiting() => queue.Waiting();

    public int CountWaiting() => queue.CountWaiting();

    public ValueTask DisposeAsync() => queue.DisposeAsync();
}
