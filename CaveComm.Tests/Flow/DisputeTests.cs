using System.Net;
using Shouldly;

namespace CaveComm.Tests.Flow;

/// <summary>Money that a cardholder's bank takes back, and sometimes gives back again.</summary>
public sealed class DisputeTests(Office office) : IClassFixture<Office>
{
    [Fact]
    public async Task A_dispute_that_is_lost_leaves_nothing_to_refund_or_to_deliver_for()
    {
        var desk = await MoneyDesk.Open(office);
        var story = await desk.Paid("stripe");

        var dispute = await Opened(desk, story);
        var shown = (await story.Detail())["disputes"]!.AsArray().ShouldHaveSingleItem()!;
        ((string)shown["status"]!, (string)shown["amount"]!["amount"]!).ShouldBe(("open", "120.00"));
        shown["evidenceDueAt"].ShouldNotBeNull();
        (await desk.Mails(desk.Mailbox, $"The payment for \u201c{story.Title}\u201d is disputed")).ShouldBe(1);
        var refused = await office.IsRefused(story, () => MoneyDesk.AskRefund(story, "10.00"), HttpStatusCode.Conflict, "nothing-to-refund");
        ((string)refused["detail"]!).ShouldContain("120.00 EUR is disputed");

        await office.Control(office.Sandbox.StripeUrl, new { loseDispute = dispute });
        await MoneyDesk.Happens(story, "dispute-closed");

        var detail = await story.Detail();
        ((string)detail["status"]!, (string)detail["disputes"]![0]!["status"]!).ShouldBe(("disputed", "lost"));
        (await desk.Mails(desk.Mailbox, $"The dispute over \u201c{story.Title}\u201d was lost")).ShouldBe(1);
        await office.IsRefused(story, () => story.PostProduct(("raven.png", [1])), HttpStatusCode.Conflict, "wrong-stage");
        (await desk.Billing(story)).ShouldBe(["disputed 120.00 EUR", "invoiced 120.00 EUR", "received 120.00 EUR"]);
        (await desk.Owed("EUR")).ShouldBe(0);
    }

    [Fact]
    public async Task A_dispute_that_is_won_gives_the_money_back_and_the_work_goes_on()
    {
        var desk = await MoneyDesk.Open(office);
        var story = await desk.Paid("stripe");

        await office.Control(office.Sandbox.StripeUrl, new { winDispute = await Opened(desk, story) });
        await story.Reaches("inProgress");
        await story.Upload();

        var detail = await story.Reaches("paidOut");
        ((string)detail["payout"]!["amount"]!["amount"]!).ShouldBe("114.00");
        (await desk.Mails(desk.Mailbox, $"The dispute over \u201c{story.Title}\u201d was won")).ShouldBe(1);
        ((await MoneyDesk.Count(story, "dispute-opened")), (await MoneyDesk.Count(story, "dispute-closed"))).ShouldBe((1, 1));
        (await desk.Billing(story)).ShouldBe(
            ["disputed -120.00 EUR", "disputed 120.00 EUR", "fee 6.00 EUR", "invoiced 120.00 EUR", "paidOut 114.00 EUR", "received 120.00 EUR"]);
    }

    [Fact]
    public async Task A_refund_before_a_dispute_that_is_won_makes_the_payout_less()
    {
        var desk = await MoneyDesk.Open(office);
        var story = await desk.Paid("stripe");
        await MoneyDesk.Refund(story, "20.00");
        await MoneyDesk.Happens(story, "refunded");
        var dispute = await Opened(desk, story);
        await office.Control(office.Sandbox.StripeUrl, new { winDispute = dispute });
        await story.Reaches("inProgress");
        await story.Upload();
        ((string)(await story.Reaches("paidOut"))["payout"]!["amount"]!["amount"]!).ShouldBe("95.00");
    }

    [Fact]
    public async Task A_dispute_after_the_payout_is_owed_until_it_is_won()
    {
        var desk = await MoneyDesk.Open(office);
        var story = await desk.PaidOut("stripe");

        var dispute = await Opened(desk, story);
        (await desk.Owed("EUR")).ShouldBe(120_00);
        await office.Control(office.Sandbox.StripeUrl, new { winDispute = dispute });
        await story.Reaches("paidOut");

        (await desk.Owed("EUR")).ShouldBe(0);
        ((string)(await (await desk.PaidOut("stripe")).Detail())["payout"]!["amount"]!["amount"]!).ShouldBe("114.00");
    }

    [Fact]
    public async Task A_dispute_lost_after_the_payout_is_held_back_from_the_next_ones()
    {
        var desk = await MoneyDesk.Open(office);
        var story = await desk.PaidOut("stripe");
        await office.Control(office.Sandbox.StripeUrl, new { loseDispute = await Opened(desk, story) });
        await MoneyDesk.Happens(story, "dispute-closed");
        (await desk.Owed("EUR")).ShouldBe(120_00);

        var second = await desk.PaidOut("stripe");
        ((string)(await second.Detail())["payout"]!["amount"]!["amount"]!).ShouldBe("0.00");
        (await desk.Owed("EUR")).ShouldBe(6_00);
        var third = await desk.PaidOut("stripe");
        ((string)(await third.Detail())["payout"]!["amount"]!["amount"]!).ShouldBe("108.00");
        (await desk.Owed("EUR")).ShouldBe(0);
        ((string)(await story.Detail())["status"]!).ShouldBe("disputed");
    }

    [Fact]
    public async Task What_comes_back_for_a_dispute_that_was_collected_already_is_not_kept_in_silence()
    {
        var desk = await MoneyDesk.Open(office);
        var story = await desk.PaidOut("stripe");
        var dispute = await Opened(desk, story);
        await desk.PaidOut("stripe");
        (await desk.Owed("EUR")).ShouldBe(6_00, "the second payout was held back");

        await office.Control(office.Sandbox.StripeUrl, new { winDispute = dispute });
        await MoneyDesk.Happens(story, "dispute-closed");

        (await desk.Owed("EUR")).ShouldBe(-114_00);
        await Support.Eventually.Holds("there is an alarm", async () =>
            (await office.Admin.GetStringAsync("admin/messages")).Contains($"114.00 EUR more came back from {desk.Handle}", StringComparison.Ordinal));
        ((string)(await office.Mail(desk.Mailbox, $"The dispute over \u201c{story.Title}\u201d was won"))["text"]!).ShouldContain("not owed any more");
    }

    private async Task<string> Opened(MoneyDesk desk, Story story)
    {
        await office.Control(office.Sandbox.StripeUrl, new { openDispute = await desk.Charge(story) });
        var detail = await story.Reaches("disputed");
        await office.Messages.WaitForIdle(TimeSpan.FromSeconds(60));
        return (string)detail["disputes"]![0]!["id"]!;
    }
}
