using System.Net;
using CaveComm.Api.Identity;
using CaveComm.Tests.Providers;
using Microsoft.AspNetCore.Http;
using Shouldly;

namespace CaveComm.Tests.Identity;

/// <summary>Counting and queueing, without a site around it.</summary>
public sealed class GuessLimitTests
{
    private readonly ManualClock clock = new();

    [Fact]
    public void Ten_failures_are_under_the_limit_and_the_next_is_over_until_the_first_is_a_minute_old()
    {
        var window = new FailureWindow(10, TimeSpan.FromMinutes(1), clock);
        for (var count = 0; count < 10; count++)
        {
            window.Fail("a").ShouldBe(new FailureCount(null, false));
            clock.Advance(TimeSpan.FromSeconds(1));
        }

        window.Over("a").ShouldBe(TimeSpan.FromSeconds(50));
        window.Over("b").ShouldBeNull();
        clock.Advance(TimeSpan.FromSeconds(50));
        window.Over("a").ShouldBeNull();
    }

    [Fact]
    public void Only_the_first_over_the_limit_is_told_and_again_after_it_has_been_under()
    {
        var window = new FailureWindow(2, TimeSpan.FromMinutes(1), clock);
        window.Fail("a");
        window.Fail("a");
        window.Fail("a").ShouldBe(new FailureCount(TimeSpan.FromMinutes(1), true));
        window.Fail("a").IsFirst.ShouldBeFalse();
        clock.Advance(TimeSpan.FromMinutes(2));
        window.Fail("a").RetryAfter.ShouldBeNull();
        window.Fail("a").RetryAfter.ShouldBeNull();
        window.Fail("a").IsFirst.ShouldBeTrue();
    }

    [Fact]
    public void Whoever_goes_on_stays_over_the_limit()
    {
        var window = new FailureWindow(3, TimeSpan.FromMinutes(1), clock);
        for (var count = 0; count < 100; count++)
        {
            (window.Fail("a").RetryAfter is not null).ShouldBe(count >= 3);
            clock.Advance(TimeSpan.FromSeconds(10));
        }
    }

    [Fact]
    public void A_try_counts_until_it_went_well()
    {
        var window = new FailureWindow(2, TimeSpan.FromMinutes(1), clock);
        window.Try("a").RetryAfter.ShouldBeNull();
        window.Try("a").RetryAfter.ShouldBeNull();
        window.Try("a").ShouldBe(new FailureCount(TimeSpan.FromMinutes(1), true));
        window.Try("a").ShouldBe(new FailureCount(TimeSpan.FromMinutes(1), false));
        window.Forgive("a");
        window.Try("a").RetryAfter.ShouldBeNull();
        window.Over("a").ShouldNotBeNull();
        clock.Advance(TimeSpan.FromMinutes(1));
        window.Over("a").ShouldBeNull();
    }

    [Fact]
    public void Many_keys_are_forgotten_once_they_are_quiet_and_counted_ones_are_kept()
    {
        var window = new FailureWindow(1, TimeSpan.FromMinutes(1), clock);
        for (var key = 0; key < 20_000; key++)
        {
            window.Fail($"{key}");
            clock.Advance(TimeSpan.FromMilliseconds(100));
        }

        window.Over("19999").ShouldNotBeNull();
        window.Over("0").ShouldBeNull();
        window.Kept.ShouldBeLessThan(5_000);
    }

    [Fact]
    public async Task A_lane_has_places_and_a_queue_of_its_own()
    {
        using var lane = new HashingLane(1, mostWaiting: 1);
        var first = await lane.Enter(TestContext.Current.CancellationToken);
        var second = lane.Enter(TestContext.Current.CancellationToken);
        second.IsCompleted.ShouldBeFalse();
        (await lane.Enter(TestContext.Current.CancellationToken)).ShouldBeNull("the queue is full");
        first!.Dispose();
        (await second).ShouldNotBeNull().Dispose();
        (await lane.Enter(TestContext.Current.CancellationToken)).ShouldNotBeNull("there is room again").Dispose();
    }

    [Theory]
    [InlineData("203.0.113.7", "::ffff:203.0.113.7", true)]
    [InlineData("203.0.113.7", "203.0.113.8", false)]
    [InlineData("2001:db8:1:2::7", "2001:db8:1:2:ffff::9", true)]
    [InlineData("2001:db8:1:2::7", "2001:db8:1:3::7", false)]
    public void A_home_is_one_address(string one, string other, bool same) => (AddressOf(one) == AddressOf(other)).ShouldBe(same);

    private static string AddressOf(string address) => GuessLimits.AddressOf(new DefaultHttpContext { Connection = { RemoteIpAddress = IPAddress.Parse(address) } });
}
