using System.Net;
using System.Net.Http.Json;
using CaveComm.Api.Commissions;
using CaveComm.Api.Payments;
using CaveComm.Api.Payouts;
using CaveComm.Api.Refunds;
using CaveComm.Domain.Payments;
using CaveComm.Messaging;
using CaveComm.Tests.Support;
using Microsoft.Extensions.DependencyInjection;
using Shouldly;

namespace CaveComm.Tests.Flow;

/// <summary>Money that waits at the provider: it can be asked about as often as one likes, and an offer that nobody claims can be taken back.</summary>
public sealed class RefundOfferTests(Office office) : IClassFixture<Office>
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task An_offer_that_nobody_claims_is_withdrawn_and_no_longer_holds_up_the_payout(bool byAdmin)
    {
        var desk = await MoneyDesk.Open(office);
        var story = await Offered(desk);
        await story.Upload();
        await story.Reaches("delivered");
        var claim = new Uri((string)(await story.Detail())["refunds"]![0]!["claimUrl"]!);
        using (var stranger = await office.Second.PostAsJsonAsync($"{story.Path}/refunds/1/withdraw", new { }, Cancel))
        {
            stranger.StatusCode.ShouldBe(HttpStatusCode.NotFound);
        }

        using (var notForFreelancers = await desk.Client.PostAsJsonAsync($"admin/requests/{story.RequestId}/refunds/1/withdraw", new { }, Cancel))
        {
            notForFreelancers.StatusCode.ShouldBe(HttpStatusCode.Forbidden);
        }

        await office.IsRefused(story, () => story.Post("refunds/7/withdraw"), HttpStatusCode.NotFound, "no-such-refund");
        (await MoneyDesk.Count(story, "payout-requested")).ShouldBe(0);

        using var withdrawn = byAdmin ? await office.Admin.PostAsJsonAsync($"admin/requests/{story.RequestId}/refunds/1/withdraw", new { }, Cancel) : await story.Post("refunds/1/withdraw");
        withdrawn.StatusCode.ShouldBe(HttpStatusCode.OK, await withdrawn.Content.ReadAsStringAsync(Cancel));

        await MoneyDesk.Happens(story, "refund-failed");
        var detail = await story.Reaches("paidOut");
        ((string)detail["refunds"]![0]!["status"]!, (string?)detail["refunds"]![0]!["claimUrl"]).ShouldBe(("failed", null));
        using var customer = new Browser(office.Url);
        (await customer.Open(story.StatusUrl)).Html.ShouldNotContain("Claim the refund");
        await office.IsRefused(story, () => story.Post("refunds/1/withdraw"), HttpStatusCode.Conflict, "wrong-stage");

        // Whoever kept the mail finds that nothing is left there.
        using var client = new HttpClient();
        using var form = new FormUrlEncodedContent([KeyValuePair.Create("destination", "late@wallet.example")]);
        using var late = await client.PostAsync(claim, form, Cancel);
        late.IsSuccessStatusCode.ShouldBeFalse();
    }

    [Fact]
    public async Task Asking_about_a_payout_that_waits_begins_no_second_schedule()
    {
        var desk = await MoneyDesk.Open(office);
        await office.Control(office.Sandbox.BtcPayUrl, new { holdPayouts = true });
        try
        {
            var story = await desk.Paid("btcpay");
            await story.Upload();
            await MoneyDesk.Happens(story, "payout-requested");
            await Eventually.Holds("the payout is noted", async () => await Owner<PayoutOwner>(it => it.Commission == story.RequestId));

            (await Send(new SendPayout(story.RequestId, 1, CheckInvoice.OneOff))).ShouldBeEmpty();

            // The walk over what nobody has asked about begins a new one: there the first was lost.
            (await Send(new SendPayout(story.RequestId, 1))).OfType<DeliveryMessage<CheckPayout>>().ShouldHaveSingleItem();
        }
        finally
        {
            await office.Control(office.Sandbox.BtcPayUrl, new { reset = true });
        }
    }

    [Fact]
    public async Task Asking_about_a_refund_that_waits_begins_no_second_schedule()
    {
        var desk = await MoneyDesk.Open(office);
        await office.Control(office.Sandbox.StripeUrl, new { refunds = "action" });
        try
        {
            var story = await desk.Paid("stripe");
            await MoneyDesk.Refund(story, "20.00");
            await Eventually.Holds("the refund is noted", async () => await Owner<RefundOwner>(it => it.Commission == story.RequestId));

            (await Send(new SendRefund(story.RequestId, 1, CheckInvoice.OneOff))).ShouldBeEmpty();
            (await Send(new SendRefund(story.RequestId, 1))).OfType<DeliveryMessage<CheckRefund>>().ShouldHaveSingleItem();
        }
        finally
        {
            await office.Control(office.Sandbox.StripeUrl, new { refunds = "succeed" });
        }
    }

    private static async Task<Story> Offered(MoneyDesk desk)
    {
        var story = await desk.Paid("btcpay");
        await MoneyDesk.Refund(story, "30.00");
        await MoneyDesk.Happens(story, "refund-offered");
        return story;
    }

    private async Task<bool> Owner<T>(Func<T, bool> whose)
        where T : class
    {
        await using var session = office.Store.QuerySession();
        return (await session.QueryAsync<T>("where true", Cancel)).Any(whose);
    }

    // What the handler would send, thrown away.
    private async Task<OutgoingMessages> Send(SendPayout asked)
    {
        await using var session = office.Store.LightweightSession();
        return await SendPayoutHandler.Handle(asked, session, office.Services.GetRequiredService<IPaymentProviders>(), TimeProvider.System, Cancel);
    }

    private async Task<OutgoingMessages> Send(SendRefund asked)
    {
        await using var session = office.Store.LightweightSession();
        return await SendRefundHandler.Handle(asked, session, office.Services.GetRequiredService<IPaymentProviders>(), TimeProvider.System, Cancel);
    }
}
