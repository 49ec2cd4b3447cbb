using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Text.Json.Nodes;
using Shouldly;

namespace CaveComm.Tests.Flow;

/// <summary>The billing view over HTTP: many commissions of one freelancer on one page.</summary>
public sealed class BillingTests(Office office) : IClassFixture<Office>
{
    [Fact]
    public async Task Billing_sums_what_several_commissions_moved_and_lists_it_page_by_page()
    {
        var before = await Billing("");
        var first = await office.Paid("stripe");
        var second = await office.Paid("btcpay");

        var model = await Billing("");
        var mine = Rows(model, first, second);
        mine.Select(row => (string)row["kind"]!).Order().ShouldBe(["invoiced", "invoiced", "received", "received"]);
        (Euro(model, "invoiced") - Euro(before, "invoiced")).ShouldBe(240.00m);
        (Euro(model, "received") - Euro(before, "received")).ShouldBe(120.00m);
        (Euro(model, "balance") - Euro(before, "balance")).ShouldBe(120.00m);

        var walked = new List<JsonNode>();
        for (var next = "limit=1"; next is not null;)
        {
            var page = await Billing("?" + next);
            walked.AddRange(page["items"]!.AsArray().Select(row => row!));
            next = (string?)page["next"] is { } cursor ? $"limit=1&after={cursor}" : null;
        }

        walked.Select(row => row.ToJsonString()).ShouldBe(model["items"]!.AsArray().Select(row => row!.ToJsonString()));
    }

    [Fact]
    public async Task Billing_is_a_page_and_a_table_for_spreadsheets_too()
    {
        var story = await office.Paid("stripe");
        await Billing("");

        using var csv = await office.Freelancer.GetAsync("freelancer/mira/billing.csv");
        csv.Content.Headers.ContentType!.MediaType.ShouldBe("text/csv");
        var lines = (await csv.Content.ReadAsStringAsync()).TrimEnd().Split("\r\n");
        lines[0].ShouldBe("at,requestId,kind,reference,amount,currency");
        lines.ShouldContain(line => line.Contains($"{story.RequestId},received,") && line.EndsWith(",120.00,EUR"));

        using var request = new HttpRequestMessage(HttpMethod.Get, "freelancer/mira/billing") { Headers = { Accept = { new MediaTypeWithQualityHeaderValue("text/html") } } };
        using var page = await office.Freelancer.SendAsync(request);
        (await page.Content.ReadAsStringAsync()).ShouldContain($"/freelancer/mira/requests/{story.RequestId}");
    }

    [Theory]
    [InlineData("from=yesterday", "from")]
    [InlineData("from=2026-02-30&to=x", "from,to")]
    [InlineData("from=2026-03-02&to=2026-03-01", "from")]
    [InlineData("from=2020-01-01&to=2026-03-01", "from")]
    [InlineData("after=garbage&limit=0", "limit,after")]
    public async Task Parameters_that_make_no_sense_are_told(string query, string fields)
    {
        using var answer = await office.Freelancer.GetAsync($"freelancer/mira/billing?{query}");
        await answer.IsProblem(HttpStatusCode.UnprocessableEntity, "invalid", fields.Split(','));
    }

    [Fact]
    public async Task Nobody_sees_another_ones_money()
    {
        using var stranger = await office.Anonymous.GetAsync("freelancer/mira/billing");
        stranger.StatusCode.ShouldBe(HttpStatusCode.Unauthorized);
    }

    private async Task<JsonNode> Billing(string query) => await office.Current(office.Freelancer, $"freelancer/mira/billing{query}");

    private static decimal Euro(JsonNode model, string sum) =>
        model["totals"]!.AsArray().SingleOrDefault(it => (string)it!["balance"]!["currency"]! == "EUR") is { } euro
            ? decimal.Parse((string)euro[sum]!["amount"]!, CultureInfo.InvariantCulture)
            : 0;

    private static List<JsonNode> Rows(JsonNode model, params Story[] stories) =>
        [.. model["items"]!.AsArray().Where(row => stories.Any(story => story.RequestId == (Guid)row!["requestId"]!)).Select(row => row!)];
}
