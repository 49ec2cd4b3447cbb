using System.Net;
using System.Text;
using CaveComm.Api.Payments;
using CaveComm.Domain;
using CaveComm.Domain.Payments;
using CaveComm.Tests.Support;
using Microsoft.Extensions.DependencyInjection;
using Shouldly;

namespace CaveComm.Tests.Flow;

/// <summary>P8: a webhook starts a task. Nothing is asked or decided before it is answered.</summary>
public sealed class WebhookTaskTests(Office office) : IClassFixture<Office>
{
    [Theory]
    [InlineData("invoice.paid", "pay", "inProgress", "commission.payment-received")]
    [InlineData("invoice.voided", "expire", null, "commission.invoice-voided")]
    public async Task News_is_stored_and_answered_while_the_provider_is_slow_and_handled_afterwards(string type, string action, string? status, string happened)
    {
        var story = await (await (await new Story(office).Publish("upFront", "stripe")).Request("stripe")).Accept();
        await story.PayUrl();
        var invoice = (string)(await story.Detail())["invoice"]!["id"]!;
        var id = $"evt_{Guid.NewGuid():N}";
        var body = Webhook.News("stripe", id, type, "invoice", invoice, story.RequestId);
        await office.Messages.WaitForIdle(TimeSpan.FromMinutes(1));
        await office.Control(office.Sandbox.StripeUrl, new { dropWebhooks = true });
        await story.Pay(action);
        await office.Control(office.Sandbox.StripeUrl, new { delayMilliseconds = 3_000 });
        try
        {
            using var answer = await office.Tell("stripe", body, office.Sign("stripe", body));

            answer.StatusCode.ShouldBe(HttpStatusCode.OK);
            await using var session = office.Store.QuerySession();
            (await session.Events.FetchStreamAsync(StreamKey.ProviderEvent("stripe", id), token: TestContext.Current.CancellationToken)).Count.ShouldBe(1);
            (await story.History()).ShouldNotContain(happened, "the work was done before the answer");
        }
        finally
        {
            await office.Control(office.Sandbox.StripeUrl, new { reset = true });
        }

        await Eventually.Holds($"{happened} is recorded", async () => (await story.History()).Contains(happened));
        ((string)(await story.Detail())["status"]!).ShouldBe(status ?? "accepted");
        (await story.History()).Count(it => it == happened).ShouldBe(1);
    }

    [Fact]
    public async Task News_that_name_nothing_of_ours_are_stored_and_start_nothing()
    {
        var id = $"evt_{Guid.NewGuid():N}";
        var body = Webhook.News("stripe", id, "customer.updated", "customer", "cus_nobodys");
        await office.Messages.WaitForIdle(TimeSpan.FromMinutes(1));

        using var answer = await office.Tell("stripe", body, office.Sign("stripe", body));

        answer.StatusCode.ShouldBe(HttpStatusCode.OK);
        await using var session = office.Store.QuerySession();
        (await session.Events.FetchStreamAsync(StreamKey.ProviderEvent("stripe", id), token: TestContext.Current.CancellationToken)).Count.ShouldBe(1);
        var reading = office.Services.GetServices<IWebhookReader>().Single(it => it.Provider == "stripe").Read(Encoding.UTF8.GetBytes(body), office.Sign("stripe", body), DateTimeOffset.UtcNow);
        ProviderNews.Of("stripe", reading, Encoding.UTF8.GetBytes(body)).Message.ShouldBeNull();
    }
}
