using CaveComm.Messaging;
using CaveComm.Tests.Support;
using Microsoft.Extensions.DependencyInjection;
using Shouldly;

namespace CaveComm.Tests.Flow;

/// <summary>The demo's stories in bad weather, scaled: every third provider call does its work and never answers, others fail, mail is down for a while.</summary>
public sealed class DemoUnderFaultsTests
{
    // A look at an invoice is four calls that must all come through, in weather that takes every second one.
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(6);

    [Fact]
    public async Task Every_story_ends_right_and_nothing_happens_twice()
    {
        await using var office = new Office
        {
            Extra =
            {
                ["Stripe:TimeoutSeconds"] = "1",
                ["BTCPay:TimeoutSeconds"] = "1",
                ["Smtp:TimeoutSeconds"] = "5",
                ["Logging:LogLevel:CaveComm"] = "None",

                // With the usual pauses a few lost calls in a row, which this weather brings now and then, would be minutes of waiting.
                ["Stripe:PauseSeconds"] = "1",
                ["BTCPay:PauseSeconds"] = "1",
                ["Smtp:PauseSeconds"] = "1",
            },
        };
        await office.InitializeAsync();

        // And so would the many attempts that it takes.
        office.Services.GetRequiredService<MessagingOptions>().Backoff = [TimeSpan.FromMilliseconds(250), TimeSpan.FromMilliseconds(500), TimeSpan.FromSeconds(1)];
        var weather = new { timeoutEvery = 3, errorEvery = 5, errorBeforeEvery = 7 };
        await office.Control(office.Sandbox.StripeUrl, weather);
        await office.Control(office.Sandbox.BtcPayUrl, weather);
        await office.Control(office.Sandbox.MailUrl, new { downSeconds = Soak.Size(5, 60) });

        Story[] stories = await Task.WhenAll(UpFront(office, "stripe"), OnDelivery(office, "btcpay"), AgreedElsewhere(office), Declined(office));
        foreach (var lookalike in new[] { office.Sandbox.StripeUrl, office.Sandbox.BtcPayUrl, office.Sandbox.MailUrl })
        {
            await office.Control(lookalike, new { reset = true });
        }

        await Letters(office, stories);
        (await office.StripeRecords("invoices")).Count.ShouldBe(2);
        (await office.StripeRecords("transfers")).Count.ShouldBe(2);
        (await office.BtcPayRecords("invoices")).Count.ShouldBe(1);
        (await office.BtcPayRecords("payouts")).Count.ShouldBe(1);
        foreach (var story in stories)
        {
            var history = await story.History();
            history.Distinct().Count().ShouldBe(history.Count, string.Join(", ", history));
        }

        (await office.Messages.Count(TestContext.Current.CancellationToken)).Dead.ShouldBe(0);
    }

    private static async Task<Story> UpFront(Office office, string provider)
    {
        var story = await (await (await new Story(office).Publish("upFront", provider)).Request(provider)).Accept();
        await PayAndSee(story);
        await Becomes(story, "inProgress");
        await story.Upload();
        await Becomes(story, "paidOut");
        return story;
    }

    private static async Task<Story> OnDelivery(Office office, string provider)
    {
        var story = await (await (await new Story(office).Publish("onDelivery", provider)).Request(provider)).Accept();
        await story.Upload();
        await PayAndSee(story);
        await Becomes(story, "paidOut");
        return story;
    }

    private static async Task<Story> AgreedElsewhere(Office office)
    {
        var story = await new Story(office).CreateInvoice("upFront", "stripe");
        await PayAndSee(story);
        await Becomes(story, "inProgress");
        await story.Upload();
        await Becomes(story, "paidOut");
        return story;
    }

    private static async Task<Story> Declined(Office office)
    {
        var story = await (await new Story(office).Publish("upFront", "stripe")).Request("stripe");
        using var declined = await story.Post("decline", new { reason = "Booked until spring." });
        declined.EnsureSuccessStatusCode();
        return story;
    }

    private static async Task PayAndSee(Story story)
    {
        await Eventually.Holds("there is a pay link", async () => (string?)(await story.Detail())["invoice"]?["payUrl"] is not null, Patience);
        await story.Pay();
    }

    private static Task Becomes(Story story, string status) =>
        Eventually.Holds($"the commission becomes {status}", async () => (string)(await story.Detail())["status"]! == status, Patience);

    /// <summary>Each customer has the last letter of the story, and no letter twice.</summary>
    private static async Task Letters(Office office, IReadOnlyList<Story> stories)
    {
        foreach (var story in stories)
        {
            await Eventually.Holds("no letter waits any more", async () =>
                await office.Database.Scalar<long>("select count(*) from cavecomm_messages where type like 'mail-%'") == 0, Patience);
            var mails = await office.Mails(story.CustomerEmail);
            mails.Select(it => (string)it["messageId"]!).ShouldBeUnique();
            mails.Select(it => (string)it["subject"]!).ShouldBeUnique();
            mails.ShouldAllBe(it => (int)it["copies"]! == 1);
            var last = (string)(await story.Detail())["status"]! == "declined" ? ".customer.Declined." : ".customer.Product.";
            mails.Count(it => ((string)it["messageId"]!).Contains(last, StringComparison.Ordinal)).ShouldBe(1, $"{last} of {mails.Count}");
        }
    }
}
