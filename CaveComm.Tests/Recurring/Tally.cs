using System.Collections.Concurrent;
using CaveComm.Api.Recurring;
using CaveComm.EventStore;
using CaveComm.Messaging;

namespace CaveComm.Tests.Recurring;

/// <summary>Work that counts its rounds and fails when told to.</summary>
internal sealed class Tally : IRecurringWork
{
    public static readonly TimeSpan Usual = TimeSpan.FromHours(1);

    public ConcurrentQueue<DateTimeOffset> Rounds { get; } = new();

    public Func<Exception?> Fails { get; set; } = () => null;

    public string Name => "tally";

    public TimeSpan Every => Usual;

    public Task<OutgoingMessages> Run(IDocumentSession session, DateTimeOffset now, CancellationToken cancel)
    {
        if (Fails() is { } failure)
        {
            throw failure;
        }

        Rounds.Enqueue(now);
        return Task.FromResult<OutgoingMessages>([]);
    }
}
