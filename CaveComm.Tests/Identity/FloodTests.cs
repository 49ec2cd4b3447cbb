using System.Net;
using CaveComm.Api.Identity;
using CaveComm.Domain.Identity;
using CaveComm.Tests.Http;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Shouldly;

namespace CaveComm.Tests.Identity;

/// <summary>Whoever has thousands of addresses fills neither the log nor the processor.</summary>
public sealed class FloodTests(GuessSite fixture) : IClassFixture<GuessSite>
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Many_addresses_over_many_names_do_not_fill_the_log()
    {
        fixture.Time.Advance(TimeSpan.FromMinutes(2));
        var refusals = fixture.Services.GetRequiredService<RefusedSignIns>();
        var last = "";
        for (var come = 0; come < RefusedSignIns.MostWritten + 20; come++)
        {
            last = $"2001:db8:{come:x}::1";
            await Refuse(last);
        }

        (await fixture.ToldOf(last)).ShouldBeEmpty();
        var first = $"2001:db8:{RefusedSignIns.MostWritten:x}::1";
        (await fixture.ToldOf(first)).ShouldBe([new SignInEvent.Limited("everybody", null, fixture.OriginOf(first))]);

        fixture.Time.Advance(TimeSpan.FromMinutes(2));
        await Refuse(last);
        (await fixture.ToldOf(last)).ShouldHaveSingleItem().ShouldBeOfType<SignInEvent.Refused>();

        Task Refuse(string from)
        {
            var http = new DefaultHttpContext();
            http.Connection.RemoteIpAddress = IPAddress.Parse(from);
            return refusals.Record(http, SignInRefusal.UnknownName, null, false, null, Cancel);
        }
    }

    [Fact]
    public async Task A_crowd_that_registers_is_sent_away_before_it_takes_the_processor()
    {
        var lane = fixture.Services.GetRequiredService<HashingLanes>().Registrations;
        using var place = await lane.Enter(Cancel);
        using var crowd = new CancellationTokenSource();
        var waiting = Enumerable.Range(0, 64).Select(_ => lane.Enter(crowd.Token)).ToList();
        var answer = await fixture.Site.Send(
            HttpMethod.Post, "/freelancer/register",
            TestSite.JsonBody("""{"handle":"one-too-many","displayName":"One","email":"one-too-many@cavecomm.example","password":"velvet-Anchor-6-harbour"}"""),
            headers: [("X-Forwarded-For", fixture.NewAddress())]);
        await answer.Problem(429, "too-many-requests");
        answer.Headers.RetryAfter.ShouldNotBeNull();
        await crowd.CancelAsync();
        await Should.ThrowAsync<OperationCanceledException>(() => Task.WhenAll(waiting));
    }
}
