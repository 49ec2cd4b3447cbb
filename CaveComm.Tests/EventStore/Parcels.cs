using CaveComm.EventStore;

namespace CaveComm.Tests.EventStore;

/// <summary>A small world for the store's tests: parcels that are packed, weighed and sent.</summary>
public abstract record ParcelEvent
{
    private ParcelEvent()
    {
    }

    public sealed record Packed(string Owner, int Items) : ParcelEvent;

    public sealed record Weighed(long Grams) : ParcelEvent;

    public sealed record Sent(DateTimeOffset At) : ParcelEvent;

    /// <summary>The parcel never was: its views go.</summary>
    public sealed record Withdrawn : ParcelEvent;

    /// <summary>No name is mapped to it.</summary>
    public sealed record Unnamed : ParcelEvent;
}

public enum ParcelStage
{
    Packed,
    Weighed,
    OnItsWay,
}

/// <param name="Versions">Each version that was applied, in that order: twice or out of order shows.</param>
public sealed record Parcel(string Id, string Owner, ParcelStage Stage, long Grams, DateTimeOffset? SentAt, IReadOnlyList<long> Versions);

public sealed class ParcelProjection : SingleStreamProjection<Parcel, string>
{
    public override Parcel? Evolve(Parcel? parcel, string id, IEvent happened) => ParcelFold.Evolve(parcel, id, happened);
}

public static class ParcelFold
{
    public static Parcel? Evolve(Parcel? parcel, string id, IEvent happened)
    {
        Parcel? next = (parcel, happened.Data) switch
        {
            (null, ParcelEvent.Packed e) => new(id, e.Owner, ParcelStage.Packed, 0, null, []),
            (not null, ParcelEvent.Packed) => parcel,
            (not null, ParcelEvent.Weighed e) => parcel with { Stage = ParcelStage.Weighed, Grams = e.Grams },
            (not null, ParcelEvent.Sent e) => parcel with { Stage = ParcelStage.OnItsWay, SentAt = e.At },
            (_, ParcelEvent.Withdrawn) => null,
            _ => parcel,
        };
        return next is null ? null : next with { Versions = [.. next.Versions, happened.Version] };
    }
}

/// <summary>What one owner has packed, over all parcels.</summary>
public sealed record Shelf(string Id, int Parcels, int Items, IReadOnlyList<long> Sequences);

public sealed class ShelfProjection : MultiStreamProjection<Shelf, string>
{
    public ShelfProjection() => Identity<ParcelEvent.Packed>(it => it.Owner);

    public override Shelf? Evolve(Shelf? shelf, string id, IEvent happened)
    {
        var packed = (ParcelEvent.Packed)happened.Data;
        var before = shelf ?? new(id, 0, 0, []);
        return before with
        {
            Parcels = before.Parcels + 1,
            Items = before.Items + packed.Items,
            Sequences = [.. before.Sequences, happened.Sequence],
        };
    }
}

/// <summary>A plain document.</summary>
public sealed record Note(string Id, string Text, int Stars = 0);
