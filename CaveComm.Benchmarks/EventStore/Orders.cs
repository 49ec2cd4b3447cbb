using CaveComm.EventStore;

namespace CaveComm.Benchmarks.EventStore;

/// <summary>Ten kinds of events of about 300 bytes, for what is measured over a long log.</summary>
public abstract record OrderEvent(string Reference, string Customer, long Amount, string Currency, DateTimeOffset At, string Note)
{
    public sealed record Placed(string Reference, string Customer, long Amount, string Currency, DateTimeOffset At, string Note) : OrderEvent(Reference, Customer, Amount, Currency, At, Note);

    public sealed record Confirmed(string Reference, string Customer, long Amount, string Currency, DateTimeOffset At, string Note) : OrderEvent(Reference, Customer, Amount, Currency, At, Note);

    public sealed record Priced(string Reference, string Customer, long Amount, string Currency, DateTimeOffset At, string Note) : OrderEvent(Reference, Customer, Amount, Currency, At, Note);

    public sealed record Invoiced(string Reference, string Customer, long Amount, string Currency, DateTimeOffset At, string Note) : OrderEvent(Reference, Customer, Amount, Currency, At, Note);

    public sealed record Paid(string Reference, string Customer, long Amount, string Currency, DateTimeOffset At, string Note) : OrderEvent(Reference, Customer, Amount, Currency, At, Note);

    public sealed record Begun(string Reference, string Customer, long Amount, string Currency, DateTimeOffset At, string Note) : OrderEvent(Reference, Customer, Amount, Currency, At, Note);

    public sealed record Noted(string Reference, string Customer, long Amount, string Currency, DateTimeOffset At, string Note) : OrderEvent(Reference, Customer, Amount, Currency, At, Note);

    public sealed record Delivered(string Reference, string Customer, long Amount, string Currency, DateTimeOffset At, string Note) : OrderEvent(Reference, Customer, Amount, Currency, At, Note);

    public sealed record Rated(string Reference, string Customer, long Amount, string Currency, DateTimeOffset At, string Note) : OrderEvent(Reference, Customer, Amount, Currency, At, Note);

    public sealed record Closed(string Reference, string Customer, long Amount, string Currency, DateTimeOffset At, string Note) : OrderEvent(Reference, Customer, Amount, Currency, At, Note);

    public static readonly Type[] Kinds =
    [
        typeof(Placed), typeof(Confirmed), typeof(Priced), typeof(Invoiced), typeof(Paid),
        typeof(Begun), typeof(Noted), typeof(Delivered), typeof(Rated), typeof(Closed),
    ];

    public static string AliasOf(Type kind) => $"order.{kind.Name.ToLowerInvariant()}";
}

public sealed record OrderView(string Id, string Customer, long Amount, string Stage, int Events, DateTimeOffset? At);

public sealed class OrderProjection : SingleStreamProjection<OrderView, string>
{
    public override OrderView? Evolve(OrderView? view, string id, IEvent happened) => Fold(view, id, happened.Data);

    public static OrderView? Fold(OrderView? view, string id, object data)
    {
        var before = view ?? new(id, "", 0, "", 0, null);
        return data switch
        {
            OrderEvent.Noted or OrderEvent.Rated => before with { Events = before.Events + 1 },
            OrderEvent e => before with { Customer = e.Customer, Amount = before.Amount + e.Amount, Stage = e.GetType().Name, Events = before.Events + 1, At = e.At },
            _ => view,
        };
    }
}
