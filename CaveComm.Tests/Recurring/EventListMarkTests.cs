using CaveComm.Api.Recurring;
using CaveComm.Domain.Payments;
using Shouldly;

namespace CaveComm.Tests.Recurring;

/// <summary>How a provider's list of events is walked: each event is met, whatever the list forgets and whenever a round ends (P11).</summary>
public sealed class EventListMarkTests
{
    private static readonly DateTimeOffset Noon = new(2026, 3, 1, 12, 0, 0, TimeSpan.Zero);

    private readonly List<(string Id, DateTimeOffset At)> told = [];
    private readonly HashSet<string> met = [];

    [Fact]
    public void A_first_walk_meets_all_that_is_listed_page_by_page()
    {
        Tell(250, Noon);

        var (mark, pages) = Walk(Begin(Noon.AddDays(-30), Noon.AddHours(1)), Noon.AddHours(1));

        met.Count.ShouldBe(250);
        pages.ShouldBe(3);
        mark.SeenId.ShouldBe(told[^1].Id);
        mark.CatchingUp.ShouldBeNull();
    }

    [Fact]
    public void Later_walks_meet_what_is_new_and_nothing_twice()
    {
        Tell(5, Noon);
        var (mark, _) = Walk(Begin(Noon.AddDays(-30), Noon.AddHours(1)), Noon.AddHours(1));
        met.Clear();
        Tell(230, Noon.AddHours(2));

        var (later, pages) = Walk(mark, Noon.AddHours(3));

        met.ShouldBe(told.Skip(5).Select(it => it.Id), ignoreOrder: true);
        pages.ShouldBe(3);
        met.Clear();
        Walk(later, Noon.AddHours(4)).Pages.ShouldBe(1);
        met.ShouldBeEmpty();
    }

    [Fact]
    public void What_happened_a_moment_ago_is_left_to_its_webhook_until_the_next_walk()
    {
        Tell(3, Noon);
        var (mark, _) = Walk(Begin(Noon.AddDays(-30), Noon), Noon);
        met.Clear();
        Tell(2, Noon.AddHours(1));

        (mark, _) = Walk(mark, Noon.AddMinutes(59));
        met.ShouldBeEmpty();

        Walk(mark, Noon.AddHours(2));
        met.Count.ShouldBe(2);
    }

    [Fact]
    public void When_the_last_event_is_forgotten_the_walk_begins_by_the_time()
    {
        Tell(3, Noon);
        var (mark, _) = Walk(Begin(Noon.AddDays(-30), Noon.AddHours(1)), Noon.AddHours(1));
        met.Clear();
        Tell(130, Noon.AddDays(40));
        told.RemoveRange(0, 3);

        var (begun, _) = Walk(mark, Noon.AddDays(41));
        begun.SeenId.ShouldBeNull();
        var (after, _) = Walk(begun with { CatchingUp = new CatchingUp(begun.SeenUpTo!.Value, Noon.AddDays(41), null, null) }, Noon.AddDays(41));

        met.Count.ShouldBe(130);
        after.SeenId.ShouldBe(told[^1].Id);
    }

    [Fact]
    public void A_walk_back_that_is_overtaken_by_the_forgetting_ends()
    {
        Tell(150, Noon);
        var begun = Begin(Noon.AddDays(-30), Noon.AddHours(1));
        var half = begun.After(Read(begun.Range(Noon.AddHours(1))), Noon.AddHours(1));
        half.CatchingUp.ShouldNotBeNull();
        told.RemoveRange(0, 60);

        var (mark, _) = Walk(half, Noon.AddHours(1));

        mark.CatchingUp.ShouldBeNull();
        mark.SeenId.ShouldBe(told[^1].Id);
    }

    [Fact]
    public void An_empty_list_moves_the_time_on()
    {
        var (mark, _) = Walk(Begin(Noon.AddDays(-30), Noon), Noon);

        mark.ShouldBe(new EventListMark("stripe", null, Noon, null));
    }

    private static EventListMark Begin(DateTimeOffset since, DateTimeOffset until) => new("stripe", null, null, new CatchingUp(since, until, null, null));

    private void Tell(int events, DateTimeOffset from)
    {
        for (var i = 0; i < events; i++)
        {
            told.Add(($"evt_{told.Count}_{from.Ticks}", from.AddSeconds(i / 10)));
        }
    }

    // As one round goes: until nothing is left, or there is nothing to go on from.
    private (EventListMark Mark, int Pages) Walk(EventListMark mark, DateTimeOffset until)
    {
        for (var pages = 1; ; pages++)
        {
            pages.ShouldBeLessThan(20, "the walk does not end");
            var page = Read(mark.Range(until));
            mark = mark.After(page, until);
            if (mark.IsAtEnd(page) || mark is { SeenId: null, CatchingUp: null })
            {
                return (mark, pages);
            }
        }
    }

    private ProviderEventPage? Read(ProviderEventRange range)
    {
        const int size = 100;
        var fits = told.Where(it => it.At <= range.Until && (range.Since is null || it.At >= range.Since)).Reverse().ToList();
        var begin = range.NewerThan ?? range.OlderThan;
        var at = begin is null ? -1 : fits.FindIndex(it => it.Id == begin);
        if (begin is not null && at < 0)
        {
            return null;
        }

        var page = range.NewerThan is null ? fits.Skip(at + 1).Take(size).ToList() : fits.Take(at).TakeLast(size).ToList();
        var more = range.NewerThan is null ? fits.Count - at - 1 > size : at > size;
        met.UnionWith(page.Select(it => it.Id));
        return new ProviderEventPage([.. page.Select(it => new ListedEvent(it.Id, it.At, new WebhookReading.Unreadable("not read here"), ""))], more);
    }
}
