using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using CaveComm.Api.Ledger;
using CaveComm.Domain;
using CaveComm.Domain.Commissions;
using CaveComm.Domain.Payments;
using CaveComm.Projections.Ledger;
using CaveComm.Tests.Support;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Shouldly;

namespace CaveComm.Tests.Flow;

/// <summary>The ledger over HTTP: sums, lines, the table for auditors, and its health.</summary>
public sealed class LedgerTests(Office office) : IClassFixture<Office>
{
    private const string Page = "admin/ledger";

    // 1.5 % and 0.25, as the look-alike takes.
    private const decimal StripesFee = 2.05m;

    [Fact]
    public async Task A_payment_moves_from_the_customer_to_the_provider_and_is_owed_to_the_freelancer()
    {
        var before = await Sums();
        await office.Paid("stripe");
        await office.Paid("btcpay");

        var after = await Sums();
        Balance(after, "providerClearing", "EUR").ShouldBe(Balance(before, "providerClearing", "EUR") + 120.00m - StripesFee);
        Balance(after, "providerFee", "EUR").ShouldBe(Balance(before, "providerFee", "EUR") + StripesFee, "the operator bears it");
        Balance(after, "freelancerPayable", "BTC").ShouldBe(-Balance(after, "providerClearing", "BTC"));
        Balance(after, "exchange", "EUR").ShouldBe(0);
        ((bool)after["balanced"]!).ShouldBeTrue();
        after["accounts"]!.AsArray().GroupBy(it => (string)it!["balance"]!["currency"]!).ShouldAllBe(currency => currency.Sum(it => Amount(it!["balance"])) == 0);
    }

    [Fact]
    public async Task The_lines_behind_a_sum_are_paged_without_a_gap_or_a_repeat()
    {
        var story = await office.Paid("stripe");
        await office.Paid("stripe");

        var all = await Walk("freelancer=mira&account=providerClearing", 200);
        var walked = await Walk("freelancer=mira&account=providerClearing", 1);

        walked.Select(it => (long)it["set"]!).ShouldBe(all.Select(it => (long)it["set"]!));
        walked.ShouldContain(it => (Guid)it["requestId"]! == story.RequestId && (string)it["event"]! == "commission.payment-received");
        (await Walk("freelancer=nobody", 50)).ShouldBeEmpty();
    }

    [Fact]
    public async Task Auditors_take_the_ledger_as_a_table()
    {
        var story = await office.Paid("stripe");
        await Sums();

        using var answer = await office.Auditor.GetAsync("audit/ledger.csv?freelancer=mira");

        answer.StatusCode.ShouldBe(HttpStatusCode.OK);
        answer.Content.Headers.ContentType!.MediaType.ShouldBe("text/csv");
        var lines = (await answer.Content.ReadAsStringAsync()).Split("\r\n");
        lines[0].ShouldBe("set,at,requestId,freelancer,event,account,debit,credit,currency");
        lines[^1].ShouldBeEmpty();
        var mine = lines.Where(line => line.Contains($",{story.RequestId},")).Select(line => line.Split(',')[3..]).ToList();
        mine.Select(it => string.Join(',', it)).ShouldBe(
        [
            "\"mira\",\"commission.invoice-issued\",customerReceivable,120.00,,EUR", "\"mira\",\"commission.invoice-issued\",freelancerPayable,,120.00,EUR",
            "\"mira\",\"commission.payment-received\",customerReceivable,,120.00,EUR", "\"mira\",\"commission.payment-received\",providerClearing,117.95,,EUR",
            "\"mira\",\"commission.payment-received\",providerFee,2.05,,EUR",
        ]);
    }

    [Theory]
    [InlineData("=1+1", "\"'=1+1\"")]
    [InlineData("a \"quote\", and more", "\"a \"\"quote\"\", and more\"")]
    [InlineData("\n-2", "\"'\n-2\"")]
    public void A_text_in_the_table_is_no_formula_and_stays_in_its_field(string text, string field) => LedgerCsv.Text(text).ShouldBe(field);

    [Fact]
    public async Task The_page_shows_the_sums_and_leads_to_the_lines()
    {
        await office.Paid("stripe");
        await Sums();
        using var browser = office.Client(await office.SignIn(Office.Vera), "text/html");

        (await browser.GetStringAsync(Page)).ShouldContain("/admin/ledger/entries?freelancer=mira&amp;account=providerClearing&amp;currency=EUR");
        (await browser.GetStringAsync($"{Page}/entries?freelancer=mira")).ShouldContain("commission.payment-received");
    }

    [Theory]
    [InlineData("admin/ledger/entries?account=pocket", "account")]
    [InlineData("admin/ledger/entries?limit=0&after=garbage", "limit,after")]
    [InlineData("admin/ledger?freelancer=a&freelancer=b", "freelancer")]
    [InlineData("audit/ledger.csv?freelancer=a&freelancer=b", "freelancer")]
    public async Task Parameters_that_make_no_sense_are_told(string address, string fields)
    {
        using var answer = await office.Admin.GetAsync(address);
        await answer.IsProblem(HttpStatusCode.UnprocessableEntity, "invalid", fields.Split(','));
    }

    [Theory]
    [InlineData("admin/ledger", HttpStatusCode.Forbidden)]
    [InlineData("admin/ledger/entries", HttpStatusCode.Forbidden)]
    [InlineData("audit/ledger.csv", HttpStatusCode.OK)]
    public async Task Auditors_see_the_table_and_freelancers_see_nothing(string address, HttpStatusCode auditor)
    {
        using var asAuditor = await office.Auditor.GetAsync(address);
        asAuditor.StatusCode.ShouldBe(auditor);
        using var asFreelancer = await office.Freelancer.GetAsync(address);
        asFreelancer.StatusCode.ShouldBe(HttpStatusCode.Forbidden);
        using var asAnybody = await office.Anonymous.GetAsync(address);
        asAnybody.StatusCode.ShouldBe(HttpStatusCode.Unauthorized);
    }

    [Fact]
    public async Task A_rebuild_gives_the_same_ledger()
    {
        const string projection = "admin/projections/LedgerProjection";
        await office.Paid("btcpay");
        var live = (await Sums()).ToJsonString();

        (await office.Admin.PostAsync($"{projection}/rebuild", null)).StatusCode.ShouldBe(HttpStatusCode.Accepted);
        await Eventually.Holds("the rebuild is done", async () => (string)(await office.Admin.GetFromJsonAsync<JsonObject>($"{projection}/rebuild"))!["state"]! == "done");

        (await Sums()).ToJsonString().ShouldBe(live);
    }

    [Fact]
    public async Task The_health_page_says_that_the_ledger_is_balanced()
    {
        var check = (await office.Anonymous.GetFromJsonAsync<JsonObject>("health/ready"))!["checks"]!["ledger"]!;
        ((string)check["status"]!).ShouldBe("healthy");
        ((bool)check["data"]!["balanced"]!).ShouldBeTrue();
    }

    [Fact]
    public void A_set_that_does_not_sum_to_zero_degrades_the_health_and_is_named()
    {
        var book = new LedgerBook(StreamKey.Commission(Some.CommissionId), Some.Shop, CommissionBooks.Initial, IsBalanced: false,
            [new(4711, Some.Noon, "commission.paid-out", [new LedgerEntry(LedgerAccount.Payouts, Some.Euro(1))])]);

        var judged = LedgerCheck.Judge(book);

        judged.Status.ShouldBe(HealthStatus.Degraded);
        judged.Description!.ShouldContain("4711");
        judged.Data["balanced"].ShouldBe(false);
        LedgerCheck.Judge(null).Status.ShouldBe(HealthStatus.Healthy);
    }

    private Task<JsonObject> Sums() => office.Current(office.Admin, $"{Page}?freelancer=mira");

    private async Task<List<JsonObject>> Walk(string query, int limit)
    {
        await Sums();
        var walked = new List<JsonObject>();
        for (var next = ""; next is not null;)
        {
            var page = await office.Admin.GetFromJsonAsync<JsonObject>($"{Page}/entries?{query}&limit={limit}{next}");
            walked.AddRange(page!["items"]!.AsArray().Select(it => it!.AsObject()));
            next = (string?)page["next"] is { } cursor ? $"&after={cursor}" : null;
        }

        return walked;
    }

    private static decimal Balance(JsonObject model, string account, string currency) =>
        Amount(model["accounts"]!.AsArray().SingleOrDefault(it => (string)it!["account"]! == account && (string)it["balance"]!["currency"]! == currency)?["balance"]);

    private static decimal Amount(JsonNode? money) => money is null ? 0 : decimal.Parse((string)money["amount"]!, System.Globalization.CultureInfo.InvariantCulture);
}
