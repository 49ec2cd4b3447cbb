using System.Net;
using CaveComm.Tests.Support;
using Shouldly;

namespace CaveComm.Tests.Flow;

/// <summary>Every way that an invoice of BTCPay's can end, and refunds that the customer claims.</summary>
public sealed class BitcoinOutcomeTests(Office office) : IClassFixture<Office>
{
    [Fact]
    public async Task What_is_seen_but_never_confirmed_has_not_been_paid()
    {
        var desk = await MoneyDesk.Open(office);
        var story = await desk.Invoiced("btcpay");
        var page = await story.PayUrl();

        await MoneyDesk.Press(page, ("action", "decline"));
        await MoneyDesk.Happens(story, "invoice-voided");
        var detail = await story.Detail();
        detail["payments"]!.AsArray().ShouldBeEmpty();
        ((string)detail["status"]!).ShouldBe("accepted");

        // Settled after Invalid: the owner says that the money has come after all.
        await MoneyDesk.Press(page, ("action", "mark-settled"));
        detail = await story.Reaches("inProgress");
        var payment = detail["payments"]!.AsArray().ShouldHaveSingleItem()!;
        ((string)payment["id"]!).ShouldStartWith("marked:");
        ((string)payment["received"]!["currency"]!).ShouldBe("BTC");
        (await MoneyDesk.Count(story, "payment-received")).ShouldBe(1);
        (await desk.Billing(story)).ShouldBe(["invoiced -120.00 EUR", "invoiced 120.00 EUR", "received 0.00000000 BTC"]);
    }

    [Fact]
    public async Task What_was_marked_by_hand_is_paid_out_by_hand()
    {
        var desk = await MoneyDesk.Open(office);
        var story = await desk.Invoiced("btcpay");

        await MoneyDesk.Press(await story.PayUrl(), ("action", "mark-settled"));
        await story.Reaches("inProgress");
        await story.Upload();
        await Eventually.Holds("the payout is asked for", async () => (await story.Detail())["payout"] is not null);

        var payout = (await story.Detail())["payout"]!;
        ((string)payout["provider"]!, (string)payout["amount"]!["amount"]!, (string)payout["amount"]!["currency"]!).ShouldBe(("manual", "114.00", "EUR"));
    }

    [Fact]
    public async Task An_expired_invoice_is_followed_by_another()
    {
        var desk = await MoneyDesk.Open(office);
        var story = await desk.Invoiced("btcpay");
        var first = await MoneyDesk.InvoiceId(story);

        await MoneyDesk.Press(await story.PayUrl(), ("action", "expire"));
        await story.Reaches("expired");
        (await desk.Mails(story.CustomerEmail, "expired")).ShouldBe(1);
        await office.IsRefused(story, () => story.Post("honour"), HttpStatusCode.Conflict, "nothing-to-honour");

        using var again = await story.Post("invoice");
        again.StatusCode.ShouldBe(HttpStatusCode.OK, await again.Content.ReadAsStringAsync());
        await MoneyDesk.Happens(story, "invoice-issued", 2);
        (await MoneyDesk.InvoiceId(story)).ShouldNotBe(first);
        await story.Pay();
        await story.Reaches("inProgress");
    }

    [Fact]
    public async Task Half_a_payment_can_be_taken_for_the_whole_price()
    {
        var desk = await MoneyDesk.Open(office);
        var story = await HalfPaidAndExpired(desk);

        using var honoured = await story.Post("honour");
        honoured.StatusCode.ShouldBe(HttpStatusCode.OK, await honoured.Content.ReadAsStringAsync());

        var detail = await story.Reaches("inProgress");
        ((string)detail["received"]!["amount"]!, (string)detail["missing"]!["amount"]!).ShouldBe(("60.00", "0.00"));
        (await desk.Billing(story)).ShouldContain("invoiced -60.00 EUR");
        using var twice = await story.Post("honour");
        await twice.IsProblem(HttpStatusCode.Conflict, "nothing-to-honour");
    }

    [Fact]
    public async Task Half_a_payment_can_be_followed_by_an_invoice_over_the_rest()
    {
        var desk = await MoneyDesk.Open(office);
        var story = await HalfPaidAndExpired(desk);

        using var again = await story.Post("invoice");
        again.StatusCode.ShouldBe(HttpStatusCode.OK, await again.Content.ReadAsStringAsync());
        await MoneyDesk.Happens(story, "invoice-issued", 2);
        ((string)(await story.Detail())["invoice"]!["amount"]!["amount"]!).ShouldBe("60.00");
        await story.Pay();

        var detail = await story.Reaches("inProgress");
        ((string)detail["received"]!["amount"]!).ShouldBe("120.00");
        detail["payments"]!.AsArray().Count.ShouldBe(2);
    }

    [Fact]
    public async Task What_comes_late_counts_when_the_freelancer_says_so()
    {
        var desk = await MoneyDesk.Open(office);
        var story = await PaidLate(desk);
        var detail = await story.Detail();
        ((string)detail["status"]!, (string)detail["received"]!["amount"]!).ShouldBe(("expired", "0.00"));

        using var honoured = await story.Post("honour");
        honoured.StatusCode.ShouldBe(HttpStatusCode.OK, await honoured.Content.ReadAsStringAsync());

        ((string)(await story.Reaches("inProgress"))["received"]!["amount"]!).ShouldBe("120.00");
        await story.Upload();
        await story.Reaches("paidOut");
    }

    [Fact]
    public async Task What_comes_late_is_told_to_the_freelancer_and_not_denied_to_the_customer()
    {
        var desk = await MoneyDesk.Open(office);
        var story = await PaidLate(desk);

        (await desk.Mails(desk.Mailbox, $"Late money for \u201c{story.Title}\u201d")).ShouldBe(1);
        ((string)(await office.Mail(desk.Mailbox, $"Late money for \u201c{story.Title}\u201d"))["text"]!).ShouldContain("120.00 EUR");
        using var customer = new Browser(office.Url);
        (await customer.Open(story.StatusUrl)).Html.ShouldContain("Your payment of 120.00 EUR came after the invoice had expired");
    }

    [Fact]
    public async Task What_came_late_can_go_back_and_is_then_not_taken_for_the_price()
    {
        var desk = await MoneyDesk.Open(office);
        var story = await PaidLate(desk);

        await MoneyDesk.Refund(story, "120.00");
        await Claim(story);

        await story.Reaches("refunded");
        await office.IsRefused(story, () => story.Post("honour"), HttpStatusCode.Conflict, "nothing-to-honour");
        (await desk.Owed("BTC")).ShouldBe(0);
    }

    [Fact]
    public async Task What_was_paid_too_much_is_shown_and_goes_back_when_it_is_claimed()
    {
        var desk = await MoneyDesk.Open(office);
        var story = await desk.Invoiced("btcpay");
        await story.Pay("pay-too-much");
        var detail = await story.Reaches("inProgress");
        ((string)detail["surplus"]!["amount"]!).ShouldBe("60.00");

        await MoneyDesk.Refund(story, "60.00", "You paid half as much again.");
        await Claim(story);

        detail = await story.Detail();
        ((string)detail["status"]!, (string)detail["refunds"]![0]!["status"]!).ShouldBe(("inProgress", "refunded"));
        (await desk.Mails(story.CustomerEmail, $"A refund for \u201c{story.Title}\u201d waits for you")).ShouldBe(1);
        (await desk.Mails(story.CustomerEmail, $"A refund for \u201c{story.Title}\u201d was sent")).ShouldBe(1);
        var rows = (await desk.Billing(story)).Where(row => row.EndsWith("BTC", StringComparison.Ordinal)).ToDictionary(row => row.Split(' ')[0], Coins);
        rows["refunded"].ShouldBe(decimal.Floor(rows["received"] / 3 * 100_000_000) / 100_000_000, 0.00000001m);

        await story.Upload();
        await story.Reaches("paidOut");
        rows = (await desk.Billing(story)).Where(row => row.EndsWith("BTC", StringComparison.Ordinal)).ToDictionary(row => row.Split(' ')[0], Coins);
        (rows["paidOut"] + rows["fee"] + rows["refunded"]).ShouldBe(rows["received"]);
    }

    [Fact]
    public async Task A_refund_that_is_withdrawn_at_btcpay_has_failed()
    {
        var desk = await MoneyDesk.Open(office);
        var story = await desk.Paid("btcpay");
        await MoneyDesk.Refund(story, "30.00");
        await MoneyDesk.Happens(story, "refund-offered");
        var id = (string)(await story.Detail())["refunds"]![0]!["id"]!;
        using var owner = new HttpClient { DefaultRequestHeaders = { Authorization = new("token", office.Sandbox.BtcPayApiKey) } };
        using var gone = await owner.DeleteAsync(new Uri(office.Sandbox.BtcPayUrl, $"api/v1/stores/{office.Sandbox.BtcPayStoreId}/pull-payments/{id}"));
        gone.EnsureSuccessStatusCode();

        using var asked = await story.Post("checkPayment");
        await MoneyDesk.Happens(story, "refund-failed");

        (await desk.Mails(desk.Mailbox, $"The refund for \u201c{story.Title}\u201d failed")).ShouldBe(1);
        (await MoneyDesk.Count(story, "refunded")).ShouldBe(0);
    }

    [Fact]
    public async Task What_goes_back_in_bitcoin_after_the_payout_is_owed_in_bitcoin()
    {
        var desk = await MoneyDesk.Open(office);
        var story = await desk.PaidOut("btcpay");

        await MoneyDesk.Refund(story, "60.00");
        await Claim(story);
        var owed = await desk.Owed("BTC");
        owed.ShouldBeGreaterThan(0);

        var next = await desk.PaidOut("btcpay");
        var rows = (await desk.Billing(next)).Where(row => row.EndsWith("BTC", StringComparison.Ordinal)).ToDictionary(row => row.Split(' ')[0], Coins);
        (rows["received"] - rows["fee"] - rows["paidOut"]).ShouldBe(owed / 100_000_000m);
        (await desk.Owed("BTC")).ShouldBe(0);

        // Nobody finds less in the wallet than was announced, without a word.
        var heldBack = $"{new Domain.Money(owed, "BTC")} was held back";
        (await next.Detail())["history"]!.AsArray().Select(line => (string)line!["text"]!).ShouldContain(text => text.Contains(heldBack, StringComparison.Ordinal));
        ((string)(await office.Mail(desk.Mailbox, $"Paid out: \u201c{next.Title}\u201d"))["text"]!).ShouldContain(heldBack);
    }

    private static decimal Coins(string row) => decimal.Parse(row.Split(' ')[1], System.Globalization.CultureInfo.InvariantCulture);

    private static async Task<Story> HalfPaidAndExpired(MoneyDesk desk)
    {
        var story = await desk.Invoiced("btcpay");
        var page = await story.PayUrl();
        await MoneyDesk.Press(page, ("action", "pay-half"));
        await Eventually.Holds("half of it has come", async () => (string)(await story.Detail())["received"]!["amount"]! == "60.00");
        await MoneyDesk.Press(page, ("action", "expire"));
        var detail = await story.Reaches("expired");
        ((string)detail["missing"]!["amount"]!).ShouldBe("60.00");
        return story;
    }

    private static async Task<Story> PaidLate(MoneyDesk desk)
    {
        var story = await desk.Invoiced("btcpay");
        await MoneyDesk.Press(await story.PayUrl(), ("action", "pay-late"));
        await MoneyDesk.Happens(story, "payment-received");
        await story.Reaches("expired");
        return story;
    }

    // The customer follows the link in the mail and says where the coins shall go.
    private async Task Claim(Story story)
    {
        await MoneyDesk.Happens(story, "refund-offered");
        var claim = (string)(await story.Detail())["refunds"]![0]!["claimUrl"]!;
        ((string)(await office.Mail(story.CustomerEmail, $"A refund for \u201c{story.Title}\u201d waits for you"))["text"]!).ShouldContain(claim);
        using (var customer = new Browser(office.Url))
        {
            // A mail can be lost; the private page says it, too.
            (await customer.Open(story.StatusUrl)).Html.ShouldContain($"href=\"{claim}\"");
        }

        await MoneyDesk.Press(new Uri(claim), ("destination", $"customer-{story.RequestId:N}@wallet.example"));
        await MoneyDesk.Happens(story, "refunded");
        await office.Messages.WaitForIdle(TimeSpan.FromSeconds(60));
    }
}
