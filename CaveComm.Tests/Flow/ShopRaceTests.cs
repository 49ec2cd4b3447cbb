using System.Net;
using System.Net.Http.Json;
using CaveComm.Domain;
using CaveComm.Domain.Freelancers;
using CaveComm.Tests.Support;
using Shouldly;

namespace CaveComm.Tests.Flow;

/// <summary>Somebody else changes the shop between reading and writing: the change is decided anew, and what leaves with it leaves once.</summary>
public sealed class ShopRaceTests(Office office) : IClassFixture<Office>
{
    [Theory]
    [InlineData("PUT", "payoutDestinations/stripe", "freelancer.payout-destination-set", "Where your payouts go was set")]
    [InlineData("POST", "payoutDestinations/stripe", "freelancer.payout-destination-set", "Where your payouts go was set")]
    [InlineData("PUT", "profile", "freelancer.profile-changed", "Your address was changed")]
    [InlineData("POST", "profile", "freelancer.profile-changed", "Your address was changed")]
    public async Task A_change_that_lost_a_race_is_made_and_told_once(string method, string address, string type, string letter)
    {
        var (events, letters) = (await Count(type), await Letters(letter));
        await using var other = office.Store.LightweightSession();
        other.Events.Append(StreamKey.Freelancer(Office.Mira.Handle), new FreelancerEvent.CommissionsClosed());
        var gate = new Gate(office.Database);
        var saving = await gate.Hold(other);

        var changing = Change(method, address);
        await gate.SomebodyWaits("the change");
        await gate.Open();
        await saving;
        using var changed = await changing;

        changed.StatusCode.ShouldBe(HttpStatusCode.OK, await changed.Content.ReadAsStringAsync());
        await office.Messages.WaitForIdle(TimeSpan.FromMinutes(1));
        (await Count(type)).ShouldBe(events + 1);
        (await Letters(letter)).ShouldBe(letters + 1);
    }

    // What a form posts carries a key, with which the answer is kept in the same transaction, or after it.
    private Task<HttpResponseMessage> Change(string method, string address)
    {
        var fresh = Guid.NewGuid().ToString("N");
        object body = address == "profile"
            ? new { displayName = "Mira", email = $"mira+{fresh}@cavecomm.example" }
            : new { destination = $"acct_{fresh}" };
        var request = new HttpRequestMessage(new HttpMethod(method), $"freelancer/{Office.Mira.Handle}/{address}") { Content = JsonContent.Create(body) };
        if (method == "POST")
        {
            request.Headers.Add("Idempotency-Key", fresh);
        }

        return office.Freelancer.SendAsync(request);
    }

    private Task<long> Count(string type) => office.Database.Scalar<long>($"select count(*) from mt_events where type = '{type}' and stream_id = 'freelancer:{Office.Mira.Handle}'");

    private async Task<int> Letters(string subject) => (await office.Mails(Office.Mira.Handle)).Count(it => (string)it["subject"]! == subject);
}
