using CaveComm.Domain;
using CaveComm.Domain.Commissions;
using CaveComm.Tests.Support;
using FsCheck.Fluent;
using Shouldly;

namespace CaveComm.Tests.Commissions;

public class SlotsTests
{
    private static readonly Guid[] Ids = [.. Enumerable.Range(1, 4).Select(n => new Guid(n, 0, 0, new byte[8]))];

    [Fact]
    public void A_free_place_is_taken() => new Outcome<SlotEvent>(Slots.Initial.Take(Ids[0], 1)).Then(new SlotEvent.SlotTaken(Ids[0]));

    [Fact]
    public void The_last_place_is_given_away_once() => new Outcome<SlotEvent>(Taken(Ids[0]).Take(Ids[1], 1)).ThenRefused(RefusalKind.Conflict, "slots-full");

    [Fact]
    public void Who_has_a_place_takes_no_second_one()
    {
        new Outcome<SlotEvent>(Taken(Ids[0]).Take(Ids[0], 2)).ThenNothing();
        new Outcome<SlotEvent>(Taken(Ids[0]).Take(Ids[0], 1)).ThenNothing();
    }

    [Fact]
    public void A_place_that_was_freed_can_be_taken_again() =>
        new Outcome<SlotEvent>(Slots.Evolve(Taken(Ids[0]), new SlotEvent.SlotFreed(Ids[0])).Take(Ids[1], 1)).Then(new SlotEvent.SlotTaken(Ids[1]));

    [Fact]
    public void Freeing_what_nobody_holds_changes_nothing() => Slots.Evolve(Taken(Ids[0]), new SlotEvent.SlotFreed(Ids[1])).Holders.ShouldBe([Ids[0]]);

    [Fact]
    public void A_lowered_limit_takes_no_place_away_and_gives_none() => new Outcome<SlotEvent>(Taken(Ids[0], Ids[1]).Take(Ids[2], 1)).ThenRefused("slots-full");

    [Fact]
    public void Never_are_more_places_taken_than_there_are() => Rule.Holds(
        from limit in Gen.Choose(1, 3)
        from steps in Gen.ListOf(Gen.Zip(Gen.Elements(Ids), Gen.Elements(true, false)))
        select (limit, steps),
        life =>
        {
            var it = Slots.Initial;
            foreach (var (commission, takes) in life.steps)
            {
                it = takes
                    ? it.Take(commission, life.limit).Events.Aggregate(it, Slots.Evolve)
                    : Slots.Evolve(it, new SlotEvent.SlotFreed(commission));
                it = StoreJson.Again(it);
                it.Holders.Count.ShouldBeLessThanOrEqualTo(life.limit);
            }
        });

    private static Slots Taken(params Guid[] holders) => holders.Aggregate(Slots.Initial, (it, id) => Slots.Evolve(it, new SlotEvent.SlotTaken(id)));
}
