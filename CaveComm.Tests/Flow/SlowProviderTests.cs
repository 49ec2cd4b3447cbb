using System.Net.Http.Json;
using System.Text.Json.Nodes;
using CaveComm.Tests.Support;
using Shouldly;

namespace CaveComm.Tests.Flow;

/// <summary>W4: one slow provider cannot starve the rest.</summary>
public sealed class SlowProviderTests
{
    private const int TimeoutSeconds = 20;

    [Fact]
    public async Task While_stripe_hangs_on_every_call_btcpay_goes_on_and_afterwards_stripes_work_is_done_once()
    {
        await using var office = new Office { Extra = { ["Stripe:TimeoutSeconds"] = $"{TimeoutSeconds}" } };
        await office.InitializeAsync();
        var waiting = new List<Story>();
        for (var i = 0; i < 12; i++)
        {
            waiting.Add(await (await new Story(office).Publish("upFront", "stripe")).Request("stripe"));
        }

        await office.Control(office.Sandbox.StripeUrl, new { timeoutEvery = 1 });
        await Task.WhenAll(waiting.Select(story => story.Accept()));
        await Eventually.Holds("Stripe's hands are full", async () => (int)(await Providers(office))["stripe"]!["underWay"]! == 5);

        // More commissions wait for Stripe than the queue has hands; without a limit these would wait for the time-outs.
        await Task.WhenAll(Enumerable.Range(0, 3).Select(_ => ByBtcPay(office)));
        var stripe = (await Providers(office))["stripe"]!;
        ((string)stripe["circuit"]!, (int)stripe["underWay"]!).ShouldBe(("closed", 5), "Stripe's first calls still hang");

        await Eventually.Holds("Stripe is left alone", async () => (string)(await Providers(office))["stripe"]!["circuit"]! == "open");

        // Whoever looks meanwhile is told what is going on, and no error.
        using var page = office.Client(await office.SignIn(Office.Mira), "text/html");
        (await page.GetStringAsync(waiting[0].Path)).ShouldContain("The invoice is being set up.");
        using var customer = new Browser(office.Url);
        (await customer.Open(waiting[0].StatusUrl)).Html.ShouldContain("The invoice is being prepared");
        using var ready = await office.Anonymous.GetAsync("health/ready");
        ready.EnsureSuccessStatusCode();
        var check = (await ready.Content.ReadFromJsonAsync<JsonObject>())!["checks"]!["providers"]!;
        ((string)check["status"]!).ShouldBe("degraded");
        ((string)check["detail"]!).ShouldContain("stripe");
        ((string)check["data"]!["btcpay"]!["circuit"]!).ShouldBe("closed");

        await office.Control(office.Sandbox.StripeUrl, new { reset = true });
        await Task.WhenAll(waiting.Select(story => story.PayUrl()));

        (await office.StripeRecords("invoices")).Count.ShouldBe(waiting.Count);
        (await Providers(office))["stripe"]!["circuit"]!.GetValue<string>().ShouldBe("closed");
        foreach (var story in waiting)
        {
            (await story.History()).Count(it => it == "commission.invoice-issued").ShouldBe(1);
        }
    }

    private static async Task ByBtcPay(Office office)
    {
        var story = await (await (await new Story(office).Publish("upFront", "btcpay")).Request("btcpay")).Accept();
        await story.Pay();
        await story.Reaches("inProgress");
    }

    private static async Task<JsonNode> Providers(Office office) =>
        (await office.Anonymous.GetFromJsonAsync<JsonObject>("health/ready"))!["checks"]!["providers"]!["data"]!;
}
