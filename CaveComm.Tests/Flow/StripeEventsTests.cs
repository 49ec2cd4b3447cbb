using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using CaveComm.Api.Payments;
using CaveComm.Api.Recurring;
using CaveComm.Domain;
using CaveComm.Domain.Payments;
using CaveComm.Messaging;
using CaveComm.Tests.Support;
using Microsoft.Extensions.DependencyInjection;
using Shouldly;

namespace CaveComm.Tests.Flow;

/// <summary>P11: Stripe's list of events stands in for webhooks that were lost.</summary>
public sealed class StripeEventsTests(Office office) : IClassFixture<Office>
{
    private static readonly TimeSpan Later = TimeSpan.FromMinutes(10);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_payment_whose_webhooks_were_lost_is_found_by_the_walk_alone()
    {
        await Begin();
        var story = await Unheard();
        try
        {
            ((string)(await story.Detail())["status"]!).ShouldBe("awaitingPayment");

            (await Walk()).Count.ShouldBeGreaterThan(0);

            (await story.Reaches("inProgress"))["payments"]!.AsArray().Count.ShouldBe(1);
            (await Walk()).ShouldBeEmpty("what was stored once is not stored again");
        }
        finally
        {
            await office.Control(office.Sandbox.StripeUrl, new { dropWebhooks = false });
        }

        (await story.History()).Count(it => it == "commission.payment-received").ShouldBe(1);
    }

    [Fact]
    public async Task What_webhooks_have_told_is_not_stored_again()
    {
        await Begin();
        var story = await (await (await new Story(office).Publish("upFront", "stripe")).Request("stripe")).Accept();
        await story.Pay();
        await story.Reaches("inProgress");
        await AllTaken();

        (await Walk()).ShouldBeEmpty();

        var mark = (await Mark()).ShouldNotBeNull();
        mark.SeenId.ShouldBe((string?)(await Listed())[0]["id"]);
        await office.Messages.WaitForIdle(TimeSpan.FromSeconds(60));
        (await story.History()).Count(it => it == "commission.payment-received").ShouldBe(1);
    }

    [Fact]
    public async Task When_Stripe_no_longer_knows_the_last_event_the_walk_begins_by_the_time()
    {
        await Begin();
        await using (var session = office.Store.LightweightSession())
        {
            session.Store((await Mark())! with { SeenId = "evt_forgotten", SeenUpTo = DateTimeOffset.UtcNow - Later, CatchingUp = null });
            await session.SaveChangesAsync(Cancel);
        }

        var story = await Unheard();
        try
        {
            await Walk();

            await story.Reaches("inProgress");
            (await Mark())!.SeenId.ShouldBe((string?)(await Listed())[0]["id"]);
        }
        finally
        {
            await office.Control(office.Sandbox.StripeUrl, new { dropWebhooks = false });
        }
    }

    [Fact]
    public async Task More_than_a_page_of_lost_events_is_stored_whole_and_as_webhooks_are()
    {
        await Begin();
        await office.Control(office.Sandbox.StripeUrl, new { dropWebhooks = true });
        try
        {
            var before = await Stored();
            await Make(customers: 120);

            await Walk();

            (await Stored()).ShouldBeGreaterThanOrEqualTo(before + 120);
        }
        finally
        {
            await office.Control(office.Sandbox.StripeUrl, new { dropWebhooks = false });
        }

        var newest = (await Listed())[0];
        await using var reading = office.Store.QuerySession();
        var stored = (await reading.Events.FetchStreamAsync(StreamKey.ProviderEvent("stripe", (string)newest["id"]!), token: Cancel)).ShouldHaveSingleItem();
        var told = stored.Data.ShouldBeOfType<ProviderEvent.Received>();
        told.Type.ShouldBe((string?)newest["type"]);
        JsonNode.DeepEquals(JsonNode.Parse(told.Body), newest).ShouldBeTrue(told.Body);
        (await office.Database.Scalar<long>("select count(*) from mt_streams where id like 'stripe-event:%' and version <> 1")).ShouldBe(0);
    }

    [Fact]
    public async Task The_product_walks_by_itself() => await Eventually.Holds("the series has run", async () =>
    {
        await using var session = office.Store.QuerySession();
        return await session.LoadAsync<RecurringSeries>(StripeEvents.Series, Cancel) is { RanAt: not null };
    });

    /// <summary>All that was told so far is read. The walks here are ahead of the clock: an empty list would move the mark past what is told next.</summary>
    private async Task Begin()
    {
        await Make(customers: 1);
        await AllTaken(); // Here nothing keeps the walk five minutes behind the webhooks.
        await Walk();
    }

    /// <summary>A commission that is paid, without anybody having said so to the product, or going to.</summary>
    private async Task<Story> Unheard()
    {
        var story = await (await (await new Story(office).Publish("upFront", "stripe")).Request("stripe")).Accept();
        await story.PayUrl();
        await office.Control(office.Sandbox.StripeUrl, new { dropWebhooks = true });
        await office.Messages.WaitForIdle(TimeSpan.FromSeconds(60));
        await office.Database.Execute($"delete from cavecomm_messages where group_key = '{StreamKey.Commission(story.RequestId)}'");
        return await story.Pay();
    }

    /// <summary>The walk as it will be in ten minutes, over all its pages; its messages are sent at once.</summary>
    private async Task<IReadOnlyList<ProviderEventStored>> Walk()
    {
        var found = new List<ProviderEventStored>();
        var providers = office.Services.GetRequiredService<IPaymentProviders>();
        for (int? page = 1; page is { } number;)
        {
            await using var session = office.Store.LightweightSession();
            var messages = await StripeEvents.Page(session, providers, number, DateTimeOffset.UtcNow + Later, Cancel);
            await session.SaveChangesAsync(Cancel);
            found.AddRange(messages.OfType<ProviderEventStored>());
            page = messages.OfType<DeliveryMessage<ReadStripeEvents>>().SingleOrDefault()?.Message.Page;
        }

        foreach (var message in found)
        {
            await using var scope = office.Services.CreateAsyncScope();
            await scope.ServiceProvider.GetRequiredService<IMessageBus>().PublishAsync(message);
        }

        return found;
    }

    private Task<long> Stored() => office.Database.Scalar<long>("select count(*) from mt_streams where id like 'stripe-event:%'");

    private async Task<EventListMark?> Mark()
    {
        await using var session = office.Store.QuerySession();
        return await session.LoadAsync<EventListMark>("stripe", Cancel);
    }

    private Task<IReadOnlyList<JsonNode>> Listed() => office.StripeRecords("events");

    private Task AllTaken() => Eventually.Holds("all webhooks were taken", async () => (int)(await State())["waitingWebhooks"]! == 0);

    private async Task<JsonNode> State() => (await office.Anonymous.GetFromJsonAsync<JsonNode>(new Uri(office.Sandbox.StripeUrl, "_control"), Cancel))!;

    private async Task Make(int customers)
    {
        using var stripe = new HttpClient { DefaultRequestHeaders = { Authorization = new AuthenticationHeaderValue("Bearer", office.Sandbox.StripeApiKey) } };
        for (var i = 0; i < customers; i++)
        {
            using var form = new FormUrlEncodedContent([new("name", "Ada"), new("email", $"ada-{i}@example.com")]);
            using var answer = await stripe.PostAsync(new Uri(office.Sandbox.StripeUrl, "v1/customers"), form, Cancel);
            answer.EnsureSuccessStatusCode();
        }
    }
}
