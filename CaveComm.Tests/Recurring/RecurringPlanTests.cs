using CaveComm.Api.Recurring;
using Microsoft.Extensions.Configuration;
using Shouldly;

namespace CaveComm.Tests.Recurring;

/// <summary>When the next round is, as pure arithmetic.</summary>
public sealed class RecurringPlanTests
{
    private static readonly DateTimeOffset Noon = new(2026, 3, 1, 12, 0, 0, TimeSpan.Zero);
    private static readonly TimeSpan Hour = TimeSpan.FromHours(1);

    [Fact]
    public void The_next_round_is_an_interval_after_the_planned_time_not_after_the_late_one()
    {
        var next = RecurringSeries.Begin("walk", Hour, Noon).Next(Hour, Noon.AddMinutes(7));

        next.ShouldBe(new RecurringSeries("walk", 2, Noon + Hour, Hour, Noon.AddMinutes(7)));
    }

    [Fact]
    public void After_days_without_a_node_there_is_one_round_and_then_the_old_rhythm()
    {
        var now = Noon.AddDays(9).AddMinutes(20);

        RecurringSeries.Begin("walk", Hour, Noon).Next(Hour, now).DueAt.ShouldBe(Noon.AddDays(9) + Hour);
    }

    [Fact]
    public void A_round_exactly_on_time_plans_the_next_one_in_the_future()
    {
        RecurringSeries.Begin("walk", Hour, Noon).Next(Hour, Noon).DueAt.ShouldBe(Noon + Hour);
        RecurringSeries.Begin("walk", Hour, Noon).Next(Hour, Noon.AddSeconds(-1)).DueAt.ShouldBe(Noon + Hour);
    }

    [Fact]
    public void A_series_in_order_is_left_alone_until_its_round_is_long_overdue()
    {
        var series = RecurringSeries.Begin("walk", Hour, Noon).Next(Hour, Noon);

        series.Mended(Hour, Noon + Hour + RecurringSeries.Grace).ShouldBeNull();
        var mended = series.Mended(Hour, Noon + Hour + RecurringSeries.Grace + TimeSpan.FromSeconds(1)).ShouldNotBeNull();
        mended.Occurrence.ShouldBe(series.Occurrence + 1);
        mended.DueAt.ShouldBe(Noon + Hour + RecurringSeries.Grace + TimeSpan.FromSeconds(1));
    }

    [Theory]
    [InlineData(10, 10)] // Sooner than planned.
    [InlineData(600, 600)] // Later than planned.
    [InlineData(3, 5)] // It would have been due by now.
    public void A_changed_interval_counts_from_the_last_round(int everyMinutes, int dueAfterMinutes)
    {
        var series = RecurringSeries.Begin("walk", Hour, Noon).Next(Hour, Noon);

        var mended = series.Mended(TimeSpan.FromMinutes(everyMinutes), Noon.AddMinutes(5)).ShouldNotBeNull();

        mended.DueAt.ShouldBe(Noon.AddMinutes(dueAfterMinutes));
        mended.Every.ShouldBe(TimeSpan.FromMinutes(everyMinutes));
        mended.Occurrence.ShouldBe(series.Occurrence + 1);
    }

    [Fact]
    public void An_interval_can_be_set_and_work_can_be_switched_off()
    {
        Works(("CaveComm:Recurring:tally", "00:05:00")).All.ShouldBe([("tally", TimeSpan.FromMinutes(5))]);
        Works(("CaveComm:Recurring:tally", "00:00:00")).All.ShouldBeEmpty();
        Works().All.ShouldBe([("tally", Tally.Usual)]);
    }

    [Theory]
    [InlineData("CaveComm:Recurring:taly", "00:05:00", "no recurring work is called taly")]
    [InlineData("CaveComm:Recurring:tally", "soon", "an interval such as")]
    [InlineData("CaveComm:Recurring:tally", "-00:05:00", "an interval such as")]
    public void A_wrong_setting_is_told(string key, string value, string told) =>
        Should.Throw<InvalidOperationException>(() => Works((key, value))).Message.ShouldContain(told);

    private static RecurringWorks Works(params (string Key, string Value)[] settings) => new(
        [new Tally()],
        new ConfigurationBuilder().AddInMemoryCollection(settings.Select(it => KeyValuePair.Create(it.Key, (string?)it.Value))).Build());
}
