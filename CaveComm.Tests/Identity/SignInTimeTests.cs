using System.Diagnostics;
using CaveComm.Tests.Http;
using Shouldly;

namespace CaveComm.Tests.Identity;

/// <summary>
/// An unknown name takes as long to refuse as a wrong password. Measured over HTTP at the product's own cost of a hash, in pairs that take turns, so that whatever
/// slows the machine slows both. The bound is on how the two overlap and not on times: of a refusal of one kind and one of the other, picked at random, which is slower?
/// Alike, that is a coin's toss (0.5; the spread of it with 30 pairs is 0.075). With the hash left out for unknown names it is 0 or 1.
/// </summary>
public sealed class SignInTimeTests
{
    private const int Pairs = 30;

    [Fact]
    public async Task An_unknown_name_takes_as_long_as_a_wrong_password()
    {
        await using var site = new IdentitySite();
        await site.InitializeAsync();

        // The first ones pay for compiling and for the connection. Over the limit both kinds go through the same lane, so all are 429 from here on.
        for (var warming = 0; warming < 12; warming++)
        {
            await Refuse(site, warming % 2 == 0 ? "mira" : "nobody");
        }

        var (known, unknown) = (new List<TimeSpan>(), new List<TimeSpan>());
        for (var pair = 0; pair < Pairs; pair++)
        {
            if (pair % 2 == 0)
            {
                known.Add(await Refuse(site, "mira"));
                unknown.Add(await Refuse(site, $"nobody-{pair}"));
            }
            else
            {
                unknown.Add(await Refuse(site, $"nobody-{pair}"));
                known.Add(await Refuse(site, "mira"));
            }
        }

        var slower = known.Average(one => unknown.Count(other => one > other)) / Pairs;
        slower.ShouldBeInRange(0.15, 0.85);
    }

    private static async Task<TimeSpan> Refuse(IdentitySite site, string username)
    {
        var body = TestSite.JsonBody($$"""{"username":"{{username}}","password":"wrong-password"}""");
        var began = Stopwatch.GetTimestamp();
        using var answer = await site.Site.Send(HttpMethod.Post, "/freelancer/login", body);
        var took = Stopwatch.GetElapsedTime(began);
        ((int)answer.StatusCode).ShouldBeOneOf(401, 429);
        return took;
    }
}
