using CaveComm.EventStore;
using CaveComm.Messaging;
using Shouldly;

namespace CaveComm.Tests.Messaging;

/// <summary>Plain: no session, nothing sent on.</summary>
public sealed record Ping(string Text);

public static class PingHandler
{
    public static Task Handle(Ping ping, Journal journal, Envelope envelope, CancellationToken cancel) => journal.Note(ping, envelope, cancel);
}

/// <summary>Books a number into a stream and sends a note on.</summary>
public sealed record Book(string Stream, int Number);

public sealed record Booked(int Number);

public static class BookHandler
{
    public static async Task<Confirm> Handle(Book book, IDocumentSession session, Journal journal, Envelope envelope, CancellationToken cancel)
    {
        session.Events.Append(book.Stream, new Booked(book.Number));
        await journal.Note(book, envelope, cancel);
        return new Confirm(book.Stream, book.Number);
    }
}

public sealed record Confirm(string Stream, int Number);

public static class ConfirmHandler
{
    public static async Task Handle(Confirm confirm, IDocumentSession session, Journal journal, Envelope envelope, CancellationToken cancel)
    {
        session.Events.Append(confirm.Stream + "/confirmed", new Booked(confirm.Number));
        await journal.Note(confirm, envelope, cancel);
    }
}

/// <summary>Has a default group.</summary>
public interface IBelongTo
{
    string Group { get; }
}

public sealed record Step(string Group, int Number) : IBelongTo;

public static class StepHandler
{
    public static async Task Handle(Step step, IDocumentSession session, Journal journal, Envelope envelope, CancellationToken cancel)
    {
        await journal.Note(step, envelope, cancel);
        session.Events.Append(step.Group, new Booked(step.Number));
    }
}

/// <summary>Goes to a queue of its own.</summary>
[MessageAlias("call-slow-provider")]
public sealed record CallProvider(int Number);

public static class CallProviderHandler
{
    public static Task Handle(CallProvider call, Journal journal, Envelope envelope, CancellationToken cancel) => journal.Note(call, envelope, cancel);
}

/// <summary>Sends all that a handler can send.</summary>
public sealed record Spread(string Text);

public static class SpreadHandler
{
    public static async Task<(Ping, DeliveryMessage<Ping>?, OutgoingMessages, Ping?)> Handle(Spread spread, IMessageBus bus)
    {
        await bus.PublishAsync(new Ping(spread.Text + " by the bus"));
        return (new Ping(spread.Text), new Ping(spread.Text + " in a group").WithGroupId("g"), [new Ping(spread.Text + " in a list")], null);
    }
}

/// <summary>Saves its session itself, which a handler must not.</summary>
public sealed record Hasty(string Stream);

public static class HastyHandler
{
    public static async Task Handle(Hasty hasty, IDocumentSession session, CancellationToken cancel)
    {
        session.Events.Append(hasty.Stream, new Booked(1));
        await session.SaveChangesAsync(cancel);
    }
}

/// <summary>Has a session, and finds nothing to do with it.</summary>
public sealed record Look(string Stream, int Number);

public static class LookHandler
{
    public static async Task Handle(Look look, IDocumentSession session, Journal journal, Envelope envelope, CancellationToken cancel)
    {
        (await session.Events.FetchStreamAsync(look.Stream, token: cancel)).Count.ShouldBe(0);
        await journal.Note(look, envelope, cancel);
    }
}
