using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using CaveComm.Tests.Support;
using Shouldly;

namespace CaveComm.Tests.Flow;

/// <summary>Two who want different things at the same moment: one wins, and what follows happens once.</summary>
public sealed class RaceTests(Office office) : IClassFixture<Office>
{
    /// <summary>How often each race is run; a soak runs them longer.</summary>
    private static readonly int Rounds = Soak.Size(20, 100);

    [Fact]
    public async Task Of_two_acceptances_one_counts()
    {
        var stories = new List<Story>();
        for (var round = 0; round < Rounds; round++)
        {
            var story = await (await new Story(office).Publish("upFront", "stripe")).Request("stripe");
            stories.Add(story);

            await OneWins(await Task.WhenAll(story.Post("accept"), story.Post("accept")), HttpStatusCode.OK);
        }

        foreach (var story in stories)
        {
            await story.Reaches("awaitingPayment");
            (await story.History()).ShouldBe(["commission.requested", "commission.accepted", "commission.invoice-issued"]);
        }

        await office.Messages.WaitForIdle(TimeSpan.FromMinutes(1));
        var invoices = await StripeInvoices();
        stories.ShouldAllBe(it => invoices.Count(id => id == it.RequestId) == 1);
    }

    [Fact]
    public async Task Of_acceptance_and_refusal_one_counts()
    {
        var stories = new List<(Story Story, bool Accepted)>();
        for (var round = 0; round < Rounds; round++)
        {
            var story = await (await new Story(office).Publish("upFront", "stripe")).Request("stripe");

            // Neither is always the first to be sent.
            var first = round % 2 == 0 ? "accept" : "decline";
            var acts = await Task.WhenAll(story.Post(first), story.Post(first == "accept" ? "decline" : "accept"));
            stories.Add((story, (acts[0].StatusCode == HttpStatusCode.OK) == (first == "accept")));
            await OneWins(acts, HttpStatusCode.OK);
        }

        foreach (var (story, accepted) in stories)
        {
            await story.Reaches(accepted ? "awaitingPayment" : "declined");
        }

        await office.Messages.WaitForIdle(TimeSpan.FromMinutes(1));
        var invoices = await StripeInvoices();
        foreach (var (story, accepted) in stories)
        {
            invoices.Count(id => id == story.RequestId).ShouldBe(accepted ? 1 : 0);
            (await Letters(story, "declined")).ShouldBe(accepted ? 0 : 1);
        }
    }

    [Fact]
    public async Task Of_two_who_ask_for_the_last_slot_one_gets_it()
    {
        for (var round = 0; round < Rounds; round++)
        {
            var story = await new Story(office).Publish("upFront", "stripe", slots: 1 + (round % 2));
            if (round % 2 == 1)
            {
                await story.Request("stripe");
            }

            var problem = await OneWins(await Task.WhenAll(story.PostRequest("stripe"), story.PostRequest("stripe")), HttpStatusCode.Created);

            ((string)problem["type"]!).ShouldBe("/problems/slots-full");
        }
    }

    [Fact]
    public async Task Of_twenty_who_want_fifteen_places_at_once_fifteen_get_one()
    {
        var story = await new Story(office).Publish("upFront", "stripe", slots: 15);

        var answers = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => story.PostRequest("stripe")));

        answers.Count(it => it.StatusCode == HttpStatusCode.Created).ShouldBe(15);
        answers.Count(it => it.StatusCode == HttpStatusCode.Conflict).ShouldBe(5);
        Array.ForEach(answers, it => it.Dispose());
    }

    [Theory]
    [InlineData("stripe")]
    [InlineData("btcpay")]
    public async Task A_payment_made_and_told_several_times_at_once_is_one_payment(string provider)
    {
        var stories = new List<Story>();
        for (var round = 0; round < Rounds; round++)
        {
            var story = await (await (await new Story(office).Publish("upFront", provider)).Request(provider)).Accept();
            stories.Add(story);
            var pay = await story.PayUrl();
            var invoice = (string)(await story.Detail())["invoice"]!["id"]!;
            var news = Enumerable.Range(0, 3).Select(copy => Webhook.Paid(provider, $"evt_{story.RequestId:N}{copy}", invoice, story.RequestId)).ToList();

            var answers = await Task.WhenAll([Pay(pay), Pay(pay), .. news.Concat(news).Select(body => office.Tell(provider, body, office.Sign(provider, body)))]);

            answers.Skip(2).ShouldAllBe(it => it.StatusCode == HttpStatusCode.OK);
            answers.Take(2).ShouldContain(it => (int)it.StatusCode < 400);
            Array.ForEach(answers, it => it.Dispose());
        }

        foreach (var story in stories)
        {
            await story.Reaches("inProgress");
        }

        await office.Messages.WaitForIdle(TimeSpan.FromMinutes(1));
        foreach (var story in stories)
        {
            var detail = await story.Detail();
            detail["payments"]!.AsArray().Count.ShouldBe(1);
            ((string)detail["received"]!["amount"]!).ShouldBe("120.00");
            (await story.History()).Count(it => it == "commission.payment-received").ShouldBe(1);
            (await office.Mails(Office.Mira.Handle)).Count(it => ((string)it["subject"]!).StartsWith($"Paid: \u201c{story.Title}", StringComparison.Ordinal)).ShouldBe(1);
        }
    }

    [Fact]
    public async Task An_upload_that_meets_the_payment_is_delivered_once()
    {
        var stories = new List<Story>();
        for (var round = 0; round < Rounds; round++)
        {
            var story = await (await (await new Story(office).Publish("upFront", "stripe")).Request("stripe")).Accept();
            stories.Add(story);
            var pay = await story.PayUrl();

            var paying = Pay(pay);
            var uploading = story.Upload();
            await Task.WhenAll(paying, uploading);
            (await paying).Dispose();
        }

        await AreDelivered(stories, products: 1);
        foreach (var story in stories)
        {
            (await story.History()).Count(it => it == "commission.delivered").ShouldBe(1);
            (await Letters(story, "ready for download")).ShouldBe(1);
        }
    }

    [Fact]
    public async Task A_product_replaced_while_it_is_paid_is_delivered_at_most_once_in_each_version()
    {
        var stories = new List<Story>();
        for (var round = 0; round < Rounds; round++)
        {
            var story = await (await (await new Story(office).Publish("onDelivery", "stripe")).Request("stripe")).Accept();
            stories.Add(story);
            await story.Upload("the first");
            var pay = await story.PayUrl();

            var paying = Pay(pay);
            var uploading = story.Upload("the second");
            await Task.WhenAll(paying, uploading);
            (await paying).Dispose();
        }

        await AreDelivered(stories, products: 2);
        foreach (var story in stories)
        {
            var history = await story.History();
            var deliveries = history.Count(it => it == "commission.delivered");
            deliveries.ShouldBeInRange(1, 2);

            // Whoever was first, the customer has the second in the end.
            history.ToList().LastIndexOf("commission.delivered").ShouldBeGreaterThan(history.ToList().LastIndexOf("commission.product-uploaded"));
            (await Letters(story, "ready for download")).ShouldBe(deliveries);
            history.Count(it => it == "commission.payout-requested").ShouldBe(1);
        }
    }

    private async Task AreDelivered(List<Story> stories, int products)
    {
        foreach (var story in stories)
        {
            await story.Reaches("paidOut");
            (await story.History()).Count(it => it == "commission.product-uploaded").ShouldBe(products);
        }

        await office.Messages.WaitForIdle(TimeSpan.FromMinutes(1));
    }

    /// <summary>One has won, the other was refused with a 409; gives that one's problem.</summary>
    private static async Task<JsonObject> OneWins(HttpResponseMessage[] answers, HttpStatusCode win)
    {
        answers.Select(it => it.StatusCode).ShouldBe([win, HttpStatusCode.Conflict], ignoreOrder: true);
        var problem = await answers.Single(it => it.StatusCode == HttpStatusCode.Conflict).Content.ReadFromJsonAsync<JsonObject>();
        Array.ForEach(answers, it => it.Dispose());
        return problem!;
    }

    private static async Task<HttpResponseMessage> Pay(Uri payUrl)
    {
        using var client = new HttpClient(new SocketsHttpHandler { AllowAutoRedirect = false });
        using var form = new FormUrlEncodedContent(new Dictionary<string, string> { ["action"] = "pay" });
        return await client.PostAsync(payUrl, form);
    }

    private async Task<int> Letters(Story story, string subject) =>
        (await office.Mails(story.CustomerEmail)).Count(it => ((string)it["subject"]!).Contains(subject, StringComparison.Ordinal));

    /// <summary>The commissions that the invoices at the look-alike are for, one by one.</summary>
    private async Task<List<Guid>> StripeInvoices()
    {
        using var stripe = new HttpClient();
        stripe.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", office.Sandbox.StripeApiKey);
        var found = new List<Guid>();
        string? after = null;
        JsonObject page;
        do
        {
            page = (await stripe.GetFromJsonAsync<JsonObject>(new Uri(office.Sandbox.StripeUrl, $"v1/invoices?limit=100{(after is null ? "" : $"&starting_after={after}")}")))!;
            var invoices = page["data"]!.AsArray();
            found.AddRange(invoices.Select(it => Guid.TryParse((string?)it!["metadata"]?["commission_id"], out var id) ? id : Guid.Empty));
            after = invoices.Count > 0 ? (string?)invoices[^1]!["id"] : null;
        }
        while ((bool)page["has_more"]!);
        return found;
    }
}
