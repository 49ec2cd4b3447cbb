using System.Globalization;
using System.Text.Json.Nodes;
using CaveComm.Tests.Support;
using Shouldly;

namespace CaveComm.Tests.Flow;

/// <summary>Every provider event of many commissions comes many times and in any order, while the product is killed (SIGKILL) and started again.</summary>
public sealed class StormTests(ITestOutputHelper output)
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(10);

    [Fact]
    public async Task In_a_storm_of_webhooks_and_kills_each_commission_is_paid_fulfilled_told_and_paid_out_once()
    {
        var (commissions, copies, kills) = Soak.Size((4, 10, 1), (20, 50, 5));
        await using var office = await KillableOffice.Start(inOne: false);
        var books = new ProviderBooks(office);
        using var mira = new PatientClient(office, "freelancer");
        using var jonas = new PatientClient(office, "second");
        using var customer = new PatientClient(office, null);

        // Nothing is told until everybody has paid. Then it all comes at once.
        await books.Control(new { holdWebhooks = true, shuffleWebhooks = true, duplicates = copies });
        var stories = Enumerable.Range(0, commissions)
            .Select(number => (Story: new LongStory(office, number % 4 < 2 ? mira : jonas, customer), ByStripe: number % 2 == 0))
            .Select(it => it.ByStripe ? it.Story.UpFrontByStripe() : it.Story.OnDeliveryByBtcPay()).ToArray();
        await Eventually.Holds(
            "everybody has paid",
            async () => await Paid(books) == commissions || Array.Exists(stories, story => story.IsFaulted),
            Patience);
        var waiting = await books.WaitingWebhooks();
        waiting.ShouldBeGreaterThanOrEqualTo(commissions * copies);
        output.WriteLine($"{waiting} webhooks are let go at once.");
        await books.Control(new { holdWebhooks = false });

        for (var kill = 1; kill <= kills; kill++)
        {
            // Spread over the storm: the product dies while a part of it is in, and the rest comes to one that is starting.
            var left = waiting * (kills + 1 - kill) / (kills + 2);
            await office.Ready();
            await Eventually.Holds($"no more than {left} are left", async () => await books.WaitingWebhooks() <= left, Patience);
            await office.Kill();
            output.WriteLine($"kill {kill} with {await books.WaitingWebhooks()} still to come");
            office.Restart();
        }

        var tales = (await Task.WhenAll(stories)).SelectMany(told => told).ToList();
        await office.Ready();
        await Eventually.Holds("every copy was taken", async () => await books.WaitingWebhooks() == 0, Patience);
        await new Reckoning(office, tales).Make(mira, jonas);
        await EachEventOnce(office, books);
        foreach (var freelancer in new[] { mira, jonas })
        {
            await SumsAreRight(freelancer, tales.Where(tale => tale.Handle == freelancer.Handle).ToList());
        }
    }

    private static async Task<int> Paid(ProviderBooks books) =>
        (await books.StripeInvoices()).Count(it => (string?)it["status"] == "paid")
        + (await books.BtcPayInvoices()).Count(it => (string?)it["status"] is "Settled");

    private static async Task EachEventOnce(KillableOffice office, ProviderBooks books)
    {
        var kept = (await office.Texts("select id from mt_streams where id like 'stripe-event:%'")).ToHashSet();
        (await books.StripeEvents()).Select(it => $"stripe-event:{it["id"]}").Where(id => !kept.Contains(id)).ShouldBeEmpty();
        (await office.Texts("select id from mt_streams where (id like 'stripe-event:%' or id like 'btcpay-event:%') and version <> 1")).ShouldBeEmpty();
        (await office.Scalar<long>("select count(*) from mt_streams where id like 'btcpay-event:%'")).ShouldBeGreaterThan(0);
    }

    // 120.00 came in for each commission. All of it was paid out or kept as the fee, and nothing else moved.
    private static async Task SumsAreRight(PatientClient freelancer, IReadOnlyList<Tale> tales)
    {
        foreach (var (provider, currency) in new[] { ("stripe", "EUR"), ("btcpay", "BTC") })
        {
            var count = tales.Count(tale => tale.Provider == provider);
            JsonNode? sums = null;
            await Eventually.Holds($"the billing view has caught up in {currency}", async () =>
            {
                sums = (await freelancer.Get($"freelancer/{freelancer.Handle}/billing"))["totals"]!.AsArray().SingleOrDefault(it => (string)it!["balance"]!["currency"]! == currency);
                return count == 0 || (sums is not null && Sum(sums, "paidOut") != 0 && Sum(sums, "balance") == 0);
            });
            if (count == 0)
            {
                continue;
            }

            (Sum(sums!, "received") - Sum(sums!, "fees") - Sum(sums!, "paidOut")).ShouldBe(0);
            (Sum(sums!, "refunded"), Sum(sums!, "disputed")).ShouldBe((0, 0));
            if (currency == "EUR")
            {
                (Sum(sums!, "received"), Sum(sums!, "invoiced")).ShouldBe((120.00m * count, 120.00m * tales.Count));
            }
        }
    }

    private static decimal Sum(JsonNode sums, string name) => decimal.Parse((string)sums[name]!["amount"]!, CultureInfo.InvariantCulture);
}
