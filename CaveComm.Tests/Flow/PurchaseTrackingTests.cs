using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using CaveComm.Domain;
using CaveComm.Domain.Payments;
using CaveComm.Tests.Support;
using Shouldly;

namespace CaveComm.Tests.Flow;

/// <summary>The tracking over HTTP: provider's event, payment, purchase, fulfilment, each with its time.</summary>
public sealed class PurchaseTrackingTests(Office office) : IClassFixture<Office>
{
    private const string Page = "admin/purchases";

    [Theory]
    [InlineData("stripe")]
    [InlineData("btcpay")]
    public async Task A_purchase_shows_what_the_provider_told_what_was_paid_and_what_was_given(string provider)
    {
        var story = await office.Paid(provider);
        await story.Upload();
        await Eventually.Holds("it is delivered", async () => (string)(await story.Detail())["status"]! is "delivered" or "paidOut");

        JsonObject detail = null!;
        await Eventually.Holds("it is fulfilled", async () => (string?)(detail = await Detail(story))["purchase"]?["status"] == "fulfilled");

        var steps = detail["tracking"]!.AsArray().Select(it => it!.AsObject()).ToList();
        steps.Where(it => (string)it["kind"]! != "provider-event").Select(it => (string)it["kind"]!).ShouldBe(["purchase-started", "payment-succeeded", "purchase-fulfilled"]);
        var told = (string)steps.Single(it => (string)it["kind"]! == "payment-succeeded")["toldBy"]!;
        told.ShouldStartWith($"{provider}-event:");
        var fact = steps.Single(it => (string)it["kind"]! == "provider-event");
        told.ShouldEndWith((string)fact["reference"]!);
        steps.Select(it => (DateTimeOffset)it["at"]!).ShouldBeInOrder();
        steps.FindIndex(it => it == fact).ShouldBeLessThan(steps.FindIndex(it => (string)it["kind"]! == "payment-succeeded"));
    }

    [Fact]
    public async Task However_often_the_provider_is_asked_a_purchase_is_paid_and_fulfilled_once()
    {
        var story = await office.Paid("stripe");
        await story.Upload();
        await Eventually.Holds("it is delivered", async () => (string)(await story.Detail())["status"]! is "delivered" or "paidOut");
        using (var again = await story.Post("checkPayment"))
        {
            ((int)again.StatusCode).ShouldBeOneOf(202, 409);
        }

        await using var session = office.Store.QuerySession();
        var purchase = await session.Events.FetchStreamAsync(StreamKey.Purchase(story.RequestId), token: TestContext.Current.CancellationToken);
        purchase.Count(e => e.Data is PurchaseEvent.PaymentSucceeded).ShouldBe(1);
        purchase.Count(e => e.Data is PurchaseEvent.PurchaseFulfilled).ShouldBe(1);
    }

    [Fact]
    public async Task Purchases_are_listed_by_status_freelancer_and_time_page_by_page()
    {
        var first = await office.Paid("stripe");
        var second = await office.Paid("stripe");
        await Detail(second);

        (await List("status=paid&freelancer=mira&limit=200")).Select(it => (Guid)it["id"]!).ShouldContain(second.RequestId);
        (await List("status=disputed&limit=200")).Select(it => (Guid)it["id"]!).ShouldNotContain(second.RequestId);
        (await List("freelancer=nobody")).ShouldBeEmpty();
        (await List("to=2001-01-01")).ShouldBeEmpty();
        var mine = (await List("from=2001-01-01&limit=1")).Select(it => (Guid)it["id"]!).Where(id => id == first.RequestId || id == second.RequestId);
        mine.ShouldBe([second.RequestId, first.RequestId]);
    }

    [Fact]
    public async Task The_tracking_is_a_page_too()
    {
        var story = await office.Paid("stripe");
        await Detail(story);
        using var browser = office.Client(await office.SignIn(Office.Vera), "text/html");

        (await browser.GetStringAsync(Page)).ShouldContain($"/{Page}/{story.RequestId}");
        (await browser.GetStringAsync($"{Page}/{story.RequestId}")).ShouldContain("/audit/streams/stripe-event:evt_");
    }

    [Theory]
    [InlineData("status=lost", "status")]
    [InlineData("from=2026-03-02&to=2026-03-01", "to")]
    [InlineData("from=yesterday&limit=0", "from,limit")]
    public async Task Parameters_that_make_no_sense_are_told(string query, string fields)
    {
        using var answer = await office.Admin.GetAsync($"{Page}?{query}");
        await answer.IsProblem(HttpStatusCode.UnprocessableEntity, "invalid", fields.Split(','));
    }

    [Fact]
    public async Task Only_administrators_see_purchases_and_an_unknown_one_is_not_there()
    {
        using var unknown = await office.Admin.GetAsync($"{Page}/{Guid.NewGuid()}");
        await unknown.IsProblem(HttpStatusCode.NotFound, "not-found");
        using var freelancer = await office.Freelancer.GetAsync(Page);
        freelancer.StatusCode.ShouldBe(HttpStatusCode.Forbidden);
    }

    [Fact]
    public async Task What_is_paid_and_ready_but_not_delivered_raises_an_alarm_after_five_minutes()
    {
        // No rule lets this happen: the row is made late by hand, as a fault would.
        var story = await office.Paid("stripe");
        await Detail(story);
        (await Check())["status"]!.GetValue<string>().ShouldBe("healthy");
        var row = StreamKey.Purchase(story.RequestId);

        await office.Database.Execute($"update mt_doc_purchasetrack_2 set waiting_since = now() - interval '6 minutes', data = jsonb_set(data, '{{waitingSince}}', to_jsonb(now() - interval '6 minutes')) where id = '{row}'");

        var late = await Check();
        ((string)late["status"]!).ShouldBe("degraded");
        ((string)late["detail"]!).ShouldContain("/admin/purchases");
        await office.Database.Execute($"update mt_doc_purchasetrack_2 set waiting_since = null, data = jsonb_set(data, '{{waitingSince}}', 'null') where id = '{row}'");
        ((string)(await Check())["status"]!).ShouldBe("healthy");
    }

    private async Task<JsonNode> Check() => (await office.Anonymous.GetFromJsonAsync<JsonObject>("health/ready"))!["checks"]!["purchases"]!;

    private Task<JsonObject> Detail(Story story) => office.Current(office.Admin, $"{Page}/{story.RequestId}");

    private async Task<List<JsonObject>> List(string query)
    {
        var walked = new List<JsonObject>();
        for (var next = ""; next is not null;)
        {
            var page = await office.Admin.GetFromJsonAsync<JsonObject>($"{Page}?{query}{next}");
            walked.AddRange(page!["items"]!.AsArray().Select(it => it!.AsObject()));
            next = (string?)page["next"] is { } cursor ? $"&after={cursor}" : null;
        }

        return walked;
    }
}
