using CaveComm.EventStore;
using static CaveComm.Tests.EventStore.ParcelEvent;

namespace CaveComm.Tests.EventStore;

/// <param name="Text">The owner, whose name is sealed, and every event that was applied, in that order.</param>
public sealed record PacketLabel(string Id, string Text);

/// <summary>The view of one stream that shows a sealed name and stumbles over some events.</summary>
public sealed class PacketLabelProjection : SingleStreamProjection<PacketLabel, string>
{
    /// <summary>Weighs what only a parcel with a name can weigh.</summary>
    public const long Named = 1001;

    /// <summary>A parcel without a name cannot be written after it.</summary>
    public const long Odd = 1002;

    private volatile bool isStrict = true;

    public bool IsStrict
    {
        get => isStrict;
        set => isStrict = value;
    }

    /// <summary>Done before the next event is applied.</summary>
    public Action? Before { get; set; }

    public override PacketLabel? Evolve(PacketLabel? snapshot, string id, IEvent e)
    {
        Before?.Invoke();
        var isErased = snapshot?.Text.StartsWith(IPersonalData.Erased, StringComparison.Ordinal) == true;
        return e.Data switch
        {
            Packed packed => new(id, packed.Owner),
            Weighed { Grams: < 0 } when IsStrict => throw new InvalidOperationException("Negative weight."),
            Weighed { Grams: Named } when IsStrict && isErased => throw new InvalidOperationException("No name."),
            Weighed { Grams: Odd } when IsStrict && isErased => snapshot! with { Text = $"{snapshot.Text}\0" },
            Weighed weighed => snapshot! with { Text = $"{snapshot.Text} {weighed.Grams}" },
            _ => snapshot,
        };
    }
}

/// <param name="Text">Whose parcels lie on it.</param>
public sealed record PacketShelf(string Id, string Text);

/// <summary>A view of many streams that shows sealed names and stumbles over one of them.</summary>
public sealed class PacketShelfProjection : MultiStreamProjection<PacketShelf, string>
{
    public const string Poison = "Poison";
    private volatile bool isStrict = true;

    public PacketShelfProjection() => Identity<Packed>(packed => $"shelf {packed.Items}");

    public bool IsStrict
    {
        get => isStrict;
        set => isStrict = value;
    }

    public override PacketShelf? Evolve(PacketShelf? snapshot, string id, IEvent e) => e.Data switch
    {
        Packed { Owner: Poison } when IsStrict => throw new InvalidOperationException("Poison."),
        Packed packed => new(id, snapshot is null ? packed.Owner : $"{snapshot.Text}, {packed.Owner}"),
        _ => snapshot,
    };
}
