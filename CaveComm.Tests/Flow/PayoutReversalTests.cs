using System.Text.Json.Nodes;
using Shouldly;

namespace CaveComm.Tests.Flow;

/// <summary>Payouts that do not stay where they arrived (docs/adr/0016).</summary>
public sealed class PayoutReversalTests(Office office) : IClassFixture<Office>
{
    [Fact]
    public async Task What_lies_on_the_freelancers_account_is_taken_back_for_a_refund()
    {
        var desk = await MoneyDesk.Open(office);
        var story = await desk.PaidOut("stripe");
        await desk.TopUp("5000");

        await MoneyDesk.Refund(story, "20.00");
        await MoneyDesk.Happens(story, "payout-reversed");

        (await desk.Owed("EUR")).ShouldBe(0);
        (await desk.Mails(desk.Mailbox, $"Money of the payout for \u201c{story.Title}\u201d went back")).ShouldBe(1);
        (await Transfer(desk, story))["amount_reversed"]!.GetValue<long>().ShouldBe(2000);
        (await MoneyDesk.Count(story, "payout-reversed")).ShouldBe(1);
        (await desk.Billing(story)).ShouldBe(
            ["fee 6.00 EUR", "invoiced 120.00 EUR", "paidOut -20.00 EUR", "paidOut 114.00 EUR", "received 120.00 EUR", "refunded 20.00 EUR"]);
        ((string)(await (await desk.PaidOut("stripe")).Detail())["payout"]!["amount"]!["amount"]!).ShouldBe("114.00");
    }

    [Fact]
    public async Task An_answer_that_was_lost_takes_nothing_back_twice()
    {
        var desk = await MoneyDesk.Open(office);
        var story = await desk.PaidOut("stripe");
        await desk.TopUp("5000");
        await office.Control(office.Sandbox.StripeUrl, new { errorEvery = 2 });
        try
        {
            await MoneyDesk.Refund(story, "20.00");
            await MoneyDesk.Happens(story, "payout-reversed");
        }
        finally
        {
            await office.Control(office.Sandbox.StripeUrl, new { errorEvery = 0 });
        }

        await office.Messages.WaitForIdle(TimeSpan.FromSeconds(60));
        (await Transfer(desk, story))["amount_reversed"]!.GetValue<long>().ShouldBe(2000);
        (await desk.Owed("EUR")).ShouldBe(0);
        (await MoneyDesk.Count(story, "refunded")).ShouldBe(1);
    }

    [Fact]
    public async Task What_was_taken_back_at_stripe_itself_is_noticed()
    {
        var desk = await MoneyDesk.Open(office);
        var story = await desk.PaidOut("stripe");
        await desk.TopUp("5000");

        await desk.Stripe(HttpMethod.Post, $"transfers/{(await Transfer(desk, story))["id"]}/reversals", ("amount", "1000"));

        await MoneyDesk.Happens(story, "payout-reversed");
        (await desk.Owed("EUR")).ShouldBe(-10_00);
        (await desk.Mails(desk.Mailbox, $"Money of the payout for \u201c{story.Title}\u201d went back")).ShouldBe(1);
        await IsAlarm($"10.00 EUR of payout");
    }

    [Fact]
    public async Task A_payout_that_the_bank_sends_back_is_noticed_once()
    {
        var desk = await MoneyDesk.Open(office);
        var story = await desk.PaidOut("stripe");
        var payout = (string)(await story.Detail())["payout"]!["id"]!;

        await office.Control(office.Sandbox.StripeUrl, new { returnPayout = new { account = desk.Account, payout } });
        await MoneyDesk.Happens(story, "payout-reversed");
        using var asked = await story.Post("checkPayment");
        await office.Messages.WaitForIdle(TimeSpan.FromSeconds(60));

        (await MoneyDesk.Count(story, "payout-reversed")).ShouldBe(1);
        (await desk.Mails(desk.Mailbox, $"Money of the payout for \u201c{story.Title}\u201d went back")).ShouldBe(1);
        (await desk.Billing(story)).ShouldContain("paidOut -114.00 EUR");
        await IsAlarm(payout);
    }

    private static async Task<JsonNode> Transfer(MoneyDesk desk, Story story) =>
        (await desk.Stripe(HttpMethod.Get, $"transfers?transfer_group=commission_{story.RequestId}"))["data"]!.AsArray().ShouldHaveSingleItem()!;

    private Task IsAlarm(string words) => Support.Eventually.Holds($"there is an alarm about {words}", async () =>
        (await office.Admin.GetStringAsync("admin/messages")).Contains(words, StringComparison.Ordinal));
}
