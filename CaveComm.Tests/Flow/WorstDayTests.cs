using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using CaveComm.Api;
using CaveComm.Api.Commissions;
using CaveComm.Api.Payouts;
using CaveComm.Domain;
using CaveComm.Messaging;
using CaveComm.Projections.Commissions;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Shouldly;

namespace CaveComm.Tests.Flow;

/// <summary>Whatever was done at a provider before a crash is found there and noted once; so is whatever is told a second time.</summary>
public sealed class WorstDayTests(DyingOffice dying) : IClassFixture<DyingOffice>
{
    private readonly Office office = dying.Office;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_refund_and_what_is_taken_back_for_it_are_made_once()
    {
        var desk = await MoneyDesk.Open(office);
        var story = await desk.PaidOut("stripe");
        await desk.TopUp("5000");

        await MoneyDesk.Refund(story, "20.00");
        await MoneyDesk.Happens(story, "payout-reversed");
        await dying.TellAgain();

        foreach (var type in new[] { typeof(SendRefund), typeof(SendPayout), typeof(ReversePayout) })
        {
            About(story).ShouldContain(it => it.GetType() == type);
        }

        (await MoneyDesk.Count(story, "refunded")).ShouldBe(1);
        (await MoneyDesk.Count(story, "payout-reversed")).ShouldBe(1);
        (await MoneyDesk.Count(story, "paid-out")).ShouldBe(1);
        (await desk.Owed("EUR")).ShouldBe(0);
        (await Transfer(desk, story))["amount_reversed"]!.GetValue<long>().ShouldBe(20_00);
        var payment = (string)(await story.Detail())["payments"]![0]!["id"]!;
        (await desk.Stripe(HttpMethod.Get, $"refunds?payment_intent={payment}"))["data"]!.AsArray().ShouldHaveSingleItem()!["amount"]!.GetValue<long>().ShouldBe(20_00);
    }

    [Fact]
    public async Task An_offer_of_a_refund_is_made_once_and_taken_back()
    {
        var desk = await MoneyDesk.Open(office);
        var story = await desk.Paid("btcpay");
        await MoneyDesk.Refund(story, "30.00");
        await MoneyDesk.Happens(story, "refund-offered");

        using var withdrawn = await story.Post("refunds/1/withdraw");
        withdrawn.StatusCode.ShouldBe(HttpStatusCode.OK, await withdrawn.Content.ReadAsStringAsync(Cancel));
        await MoneyDesk.Happens(story, "refund-failed");
        await dying.TellAgain();

        foreach (var type in new[] { typeof(SendRefund), typeof(WithdrawRefund) })
        {
            About(story).ShouldContain(it => it.GetType() == type);
        }

        (await MoneyDesk.Count(story, "refund-offered")).ShouldBe(1);
        (await MoneyDesk.Count(story, "refund-failed")).ShouldBe(1);
        var offer = (await office.BtcPayRecords("pull-payments?includeArchived=true"))
            .Where(it => ((string)it["name"]!).Contains($"{story.RequestId:N}", StringComparison.Ordinal)).ShouldHaveSingleItem();
        offer["archived"]!.GetValue<bool>().ShouldBeTrue();
    }

    [Fact]
    public async Task A_payout_that_waited_for_its_account_goes_once()
    {
        var (handle, client) = await office.OpenShop("wanda");
        using var opened = await client.PostAsJsonAsync($"freelancer/{handle}/payoutAccounts/stripe", new { country = "DE" }, Cancel);
        var link = new Uri((string)(await opened.Content.ReadFromJsonAsync<JsonObject>(Cancel))!["url"]!);
        var story = await (await (await new Story(office, (handle, client)).Publish("upFront", "stripe")).Request("stripe")).Accept();
        await story.Pay();
        await story.Reaches("inProgress");
        await story.Upload();
        await office.Mail(handle, "One thing is missing before we can pay you");

        await MoneyDesk.Press(link, ("action", "complete"));
        await story.Reaches("paidOut");
        await dying.TellAgain();

        dying.Died.ShouldContain(it => it is RingWaitingPayouts && ((RingWaitingPayouts)it).Freelancer == handle);
        dying.Died.OfType<CheckPayoutAccount>().ShouldNotBeEmpty();
        (await MoneyDesk.Count(story, "payout-requested")).ShouldBe(1);
        (await MoneyDesk.Count(story, "paid-out")).ShouldBe(1);
        (await office.StripeRecords("transfers")).Where(it => (string?)it["metadata"]!["commission_id"] == $"{story.RequestId}").ShouldHaveSingleItem();
        (await office.Database.Scalar<long>($"select count(*) from mt_events where stream_id = '{StreamKey.Freelancer(handle)}' and type = 'freelancer.payout-account-ready'")).ShouldBe(1);
    }

    [Fact]
    public async Task What_was_taken_back_and_never_noted_is_noted_when_it_is_told_again()
    {
        var desk = await MoneyDesk.Open(office);
        var story = await desk.PaidOut("stripe");
        await desk.TopUp("5000");
        await office.Control(office.Sandbox.StripeUrl, new { dropWebhooks = true });
        try
        {
            await desk.Stripe(HttpMethod.Post, $"transfers/{(await Transfer(desk, story))["id"]}/reversals", ("amount", "1000"), ("metadata[reversal_key]", "of an earlier run"));

            // Meanwhile nothing is owed any more, so this run takes nothing.
            await using var scope = office.Services.CreateAsyncScope();
            await scope.ServiceProvider.GetRequiredService<IMessageBus>().PublishAsync(new ReversePayout(story.RequestId, "re_earlier", new Money(10_00, "EUR")));

            await MoneyDesk.Happens(story, "payout-reversed");
        }
        finally
        {
            await office.Control(office.Sandbox.StripeUrl, new { dropWebhooks = false });
        }

        (await Transfer(desk, story))["amount_reversed"]!.GetValue<long>().ShouldBe(10_00);
    }

    [Fact]
    public async Task Two_who_open_an_account_at_once_for_two_countries_are_led_to_one()
    {
        var (handle, client) = await office.OpenShop("wido");
        await office.Control(office.Sandbox.StripeUrl, new { delayMilliseconds = 300 });
        try
        {
            var answers = await Task.WhenAll(new[] { "DE", "AT" }.Select(country => client.PostAsJsonAsync($"freelancer/{handle}/payoutAccounts/stripe", new { country }, Cancel)));
            answers.ShouldAllBe(it => it.StatusCode == HttpStatusCode.Created);
            var offers = await Task.WhenAll(answers.Select(it => it.Content.ReadFromJsonAsync<JsonObject>(Cancel)));
            Array.ForEach(answers, it => it.Dispose());

            var shop = (await client.GetFromJsonAsync<JsonObject>($"freelancer/{handle}/profile", Cancel))!;
            offers.Select(it => (string)it!["account"]!).Distinct().ShouldBe([(string)shop["payoutAccounts"]![0]!["account"]!]);
        }
        finally
        {
            await office.Control(office.Sandbox.StripeUrl, new { delayMilliseconds = 0 });
        }
    }

    [Fact]
    public async Task Payouts_are_not_rung_while_the_inbox_may_miss_one()
    {
        var (handle, _) = await office.OpenShop("wolf");
        await using var scope = office.Services.CreateAsyncScope();

        await Should.ThrowAsync<TimeoutException>(() => RingWaitingPayoutsHandler.Handle(
            new RingWaitingPayouts(handle, "stripe"), office.Store, scope.ServiceProvider.GetRequiredService<IMessageBus>(), new Behind(), Cancel));
    }

    [Fact]
    public async Task A_payout_that_is_rung_in_vain_begins_no_second_schedule()
    {
        var (handle, client) = await office.OpenShop("wim");
        var story = await (await (await new Story(office, (handle, client)).Publish("upFront", "stripe")).Request("stripe")).Accept();
        await story.Pay();
        await story.Reaches("inProgress");
        await story.Upload();
        await office.Mail(handle, "Where shall we pay you");

        (await Due(new PayoutDue(story.RequestId, 1))).OfType<DeliveryMessage<PayoutDue>>().ShouldHaveSingleItem();
        (await Due(new PayoutDue(story.RequestId, CheckInvoice.OneOff))).ShouldBeEmpty();
    }

    // What the handler would send, thrown away.
    private async Task<OutgoingMessages> Due(PayoutDue due)
    {
        await using var session = office.Store.LightweightSession();
        return await PayoutDueHandler.Handle(due, session, office.Services.GetRequiredService<IOptions<CaveCommOptions>>(), TimeProvider.System, Cancel);
    }

    private IEnumerable<object> About(Story story) => dying.Died.Where(it => it is ICommissionMessage its && its.Commission == story.RequestId);

    private static async Task<JsonNode> Transfer(MoneyDesk desk, Story story) =>
        (await desk.Stripe(HttpMethod.Get, $"transfers?transfer_group=commission_{story.RequestId}"))["data"]!.AsArray().ShouldHaveSingleItem()!;

    private sealed class Behind : Api.Http.IViewFreshness
    {
        public Task<bool> WaitFor<TView>(long position, TimeSpan patience, CancellationToken cancel)
            where TView : class => Task.FromResult(typeof(TView) != typeof(InboxItem));

        public Task<bool> HaveForgotten(TimeSpan patience, CancellationToken cancel) => Task.FromResult(false);
    }
}
