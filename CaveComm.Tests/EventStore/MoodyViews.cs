using CaveComm.EventStore;
using static CaveComm.Tests.EventStore.ParcelEvent;

namespace CaveComm.Tests.EventStore;

/// <summary>Ways in which a view is no row. What an event's <c>Items</c> or <c>Grams</c> means to <see cref="MoodyProjection"/>.</summary>
public enum Mood
{
    NotANumber = 101,
    Cycle,
    NoJson,
    Throws,
    NoText,
    NoTextInColumn,
    HalfALetter,
    TooLongForItsIndex,
}

/// <param name="Story">Every event that was applied, in that order.</param>
/// <param name="Label">It has a column of its own.</param>
public sealed record Moody(string Id, string Story, double Weight, object? Odd, string? Label)
{
    public string Voice => Odd is "loud" ? throw new InvalidOperationException("Too loud.") : "low";
}

/// <summary>A parcel's view that some events make unwritable, for good.</summary>
public sealed class MoodyProjection : SingleStreamProjection<Moody, string>
{
    /// <summary>A label of letters that are all the same.</summary>
    public const long LongAndDull = 99;

    private volatile bool isMoody = true;

    public bool IsMoody
    {
        get => isMoody;
        set => isMoody = value;
    }

    public static void Configure(StoreOptions options, MoodyProjection projection, ProjectionLifecycle lifecycle = ProjectionLifecycle.Async)
    {
        options.Projections.Add(projection, lifecycle);
        options.Schema.For<Moody>().Duplicate(it => it.Label);
    }

    public override Moody? Evolve(Moody? snapshot, string id, IEvent e) => Fold(
        snapshot, id, (Mood)(e.Data is Weighed weighed ? weighed.Grams : e.Data is Packed { Items: > 100 } packed ? packed.Items : 0), IsMoody);

    public static Moody Fold(Moody? snapshot, string id, Mood mood, bool isMoody)
    {
        var it = snapshot ?? new(id, "", 0, null, "plain");
        it = it with { Story = $"{it.Story} {mood}".Trim() };
        return !isMoody ? it : mood switch
        {
            Mood.NotANumber => it with { Weight = double.NaN },
            Mood.Cycle => it with { Odd = new Ring() },
            Mood.NoJson => it with { Odd = typeof(string) },
            Mood.Throws => it with { Odd = "loud" },
            Mood.NoText => it with { Odd = "a\0b" },
            Mood.NoTextInColumn => it with { Label = "a\0b" },
            Mood.HalfALetter => it with { Label = "a\uD800b" },

            // Of so many different letters that it cannot be packed.
            Mood.TooLongForItsIndex => it with { Label = string.Concat(Enumerable.Range(0, 6000).Select(number => (char)(0x4E00 + (number * 7919 % 20000)))) },
            (Mood)LongAndDull => it with { Label = new('x', 6000) },
            _ => it,
        };
    }

    private sealed class Ring
    {
        public Ring Next => this;
    }
}
