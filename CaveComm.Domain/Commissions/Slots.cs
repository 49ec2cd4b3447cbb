using System.Collections.Immutable;
using System.Diagnostics;

namespace CaveComm.Domain.Commissions;

/// <summary>What can have happened to a template's places. A stream of its own, appended with the commission's, decides who gets the last one.</summary>
public abstract record SlotEvent
{
    private SlotEvent() { }

    public sealed record SlotTaken(Guid Commission) : SlotEvent;

    public sealed record SlotFreed(Guid Commission) : SlotEvent;
}

/// <summary>The commissions that hold a place.</summary>
public sealed record Slots : IState<Slots, SlotEvent>
{
    public static Slots Initial { get; } = new();

    public ImmutableHashSet<Guid> Holders { get; init; } = [];

    /// <summary>Gives a commission a place, if one is left.</summary>
    /// <param name="limit">Places in all.</param>
    public Decision<SlotEvent> Take(Guid commission, int limit) => (Holders.Contains(commission), Holders.Count < limit) switch
    {
        (true, _) => Decision<SlotEvent>.Nothing,
        (false, true) => Decision<SlotEvent>.Record(new SlotEvent.SlotTaken(commission)),
        _ => Decision<SlotEvent>.Refuse(RefusalKind.Conflict, "slots-full", "All places of this commission are taken right now; please come back later."),
    };

    public static Slots Evolve(Slots it, SlotEvent happened) => happened switch
    {
        SlotEvent.SlotTaken e => it with { Holders = it.Holders.Add(e.Commission) },
        SlotEvent.SlotFreed e => it with { Holders = it.Holders.Remove(e.Commission) },
        _ => throw new UnreachableException($"Evolve does not know {happened.GetType().Name}."),
    };
}
