using CaveComm.Api.Recurring;
using CaveComm.Domain;
using CaveComm.Messaging;
using CaveComm.Tests.Support;
using Microsoft.Extensions.DependencyInjection;
using Shouldly;

namespace CaveComm.Tests.Flow;

/// <summary>A day without any webhook, and with all schedules lost: reconciliation alone brings every commission to its right end.</summary>
public sealed class LostDayTests(Office office) : IClassFixture<Office>
{
    private const int MostWalks = 20;

    private static readonly TimeSpan Step = TimeSpan.FromHours(27);

    private readonly HashSet<Guid> ours = [];
    private TimeSpan later;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task All_webhooks_of_a_day_are_lost_and_every_commission_ends_right()
    {
        var rounds = Soak.Size(1, 10);
        await Webhooks(lost: true);
        try
        {
            List<(Story Story, string End)> day = [];
            for (var round = 0; round < rounds; round++)
            {
                day.Add((await Delivered("upFront", "stripe"), "paidOut"));
                day.Add((await Delivered("upFront", "btcpay"), "paidOut"));
                day.Add((await Delivered("onDelivery", "stripe"), "paidOut"));
                day.Add((await Delivered("onDelivery", "btcpay"), "paidOut"));
                day.Add((await Paid("upFront", "stripe", "pay"), "inProgress"));
                day.Add((await Paid("upFront", "stripe", "decline"), "awaitingPayment"));
                day.Add((await CalledOff(), "cancelled"));
            }

            var seen = new Dictionary<Guid, string>();
            for (var walk = 0; walk < MostWalks; walk++)
            {
                await Lose();
                await Walk();
                await office.Messages.WaitForIdle(TimeSpan.FromMinutes(1));
                foreach (var (story, _) in day)
                {
                    seen[story.RequestId] = (string)(await story.Detail())["status"]!;
                }

                if (day.TrueForAll(it => seen[it.Story.RequestId] == it.End))
                {
                    break;
                }
            }

            day.Select(it => seen[it.Story.RequestId]).ShouldBe(day.Select(it => it.End));
            (await office.Database.Scalar<long>("select count(*) from mt_streams where id like 'stripe-event:%' or id like 'btcpay-event:%'")).ShouldBe(0, "no webhook came");
            foreach (var (story, end) in day)
            {
                var history = await story.History();
                history.Count(it => it == "commission.payment-received").ShouldBe(end is "paidOut" or "inProgress" ? 1 : 0);
                history.Count(it => it == "commission.delivered").ShouldBe(end == "paidOut" ? 1 : 0);
                history.Count(it => it == "commission.payout-requested").ShouldBe(end == "paidOut" ? 1 : 0);
                history.Count(it => it == "commission.invoice-voided").ShouldBe(end == "cancelled" ? 1 : 0);
            }
        }
        finally
        {
            await Webhooks(lost: false);
        }
    }

    private async Task Webhooks(bool lost)
    {
        foreach (var provider in new[] { office.Sandbox.StripeUrl, office.Sandbox.BtcPayUrl })
        {
            await office.Control(provider, new { dropWebhooks = lost });
        }
    }

    private async Task<Story> Begun(string terms, string provider)
    {
        var story = await (await (await new Story(office).Publish(terms, provider)).Request(provider)).Accept();
        ours.Add(story.RequestId);
        return story;
    }

    private async Task<Story> Paid(string terms, string provider, string action)
    {
        var story = await Begun(terms, provider);
        await story.PayUrl();
        await Lose();
        return await story.Pay(action);
    }

    private async Task<Story> Delivered(string terms, string provider)
    {
        var story = await Begun(terms, provider);
        await story.Upload();
        await story.PayUrl();
        await Lose();
        return await story.Pay();
    }

    private async Task<Story> CalledOff()
    {
        var story = await Begun("upFront", "stripe");
        await story.PayUrl();
        using var answer = await story.Post("cancel", new { reason = "No time." });
        answer.EnsureSuccessStatusCode();
        return story;
    }

    // Whatever waits for its time about these commissions is gone.
    private async Task Lose()
    {
        await office.Messages.WaitForIdle(TimeSpan.FromMinutes(1));
        foreach (var id in ours)
        {
            await office.Database.Execute($"delete from cavecomm_messages where group_key = '{StreamKey.Commission(id)}'");
        }
    }

    /// <summary>The next day's walk, over all pages; what it takes up is sent at once.</summary>
    private async Task Walk()
    {
        later += Step;
        for (string? after = ""; after is not null;)
        {
            await using var session = office.Store.LightweightSession();
            var found = await Reconciliation.Page(session, after, DateTimeOffset.UtcNow + later, Cancel);
            await session.SaveChangesAsync(Cancel);
            foreach (var it in found.OfType<DeliveryMessage<object>>())
            {
                await using var scope = office.Services.CreateAsyncScope();
                await scope.ServiceProvider.GetRequiredService<IMessageBus>().PublishAsync(it.Message);
            }

            after = found.OfType<DeliveryMessage<ReconcileFrom>>().SingleOrDefault()?.Message.After;
        }
    }
}
