using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using CaveComm.Tests.Papers;
using CaveComm.Tests.Support;
using Shouldly;

namespace CaveComm.Tests.Flow;

/// <summary>Invoice, receipt and record of a commission as PDF, over HTTP.</summary>
public sealed class PaperTests(Office office) : IClassFixture<Office>
{
    private static readonly string Profile = $"freelancer/{Office.Jonas.Handle}/profile";

    [Theory]
    [InlineData("stripe")]
    [InlineData("btcpay")]
    public async Task An_invoice_shows_how_to_pay_and_then_that_it_is_paid(string provider)
    {
        var story = await (await (await new Story(office).Publish("upFront", provider)).Request(provider)).Accept();
        var pay = await story.PayUrl();

        using var answer = await office.Freelancer.GetAsync($"{story.Path}/invoice.pdf");
        answer.StatusCode.ShouldBe(HttpStatusCode.OK, await answer.Content.ReadAsStringAsync());
        answer.Content.Headers.ContentType!.MediaType.ShouldBe("application/pdf");
        answer.Content.Headers.ContentDisposition!.DispositionType.ShouldBe("inline");
        var file = await answer.Content.ReadAsByteArrayAsync();
        var open = PdfReading.Of(file);
        answer.Content.Headers.ContentDisposition.FileName!.ShouldBe($"{open.Title["Invoice ".Length..]}.pdf");
        open.Title.ShouldStartWith($"Invoice {Office.Mira.Handle.ToUpperInvariant()}-0");
        open.Links.ShouldBe([pay.AbsoluteUri]);
        open.Text.ShouldContain(story.Title);
        open.Text.ShouldContain(story.CustomerName);
        open.Text.Contains("bitcoin:", StringComparison.Ordinal).ShouldBe(provider == "btcpay");
        using var noCredit = await office.Freelancer.GetAsync($"{story.Path}/credit.pdf");
        await noCredit.IsProblem(HttpStatusCode.Conflict, "wrong-stage");
        (await office.Freelancer.GetByteArrayAsync($"{story.Path}/invoice.pdf")).ShouldBe(file, "The same invoice is the same file.");
        using var early = await office.Freelancer.GetAsync($"{story.Path}/receipt.pdf");
        await early.IsProblem(HttpStatusCode.Conflict, "wrong-stage");

        await story.Pay();
        await story.Reaches("inProgress");

        var paid = PdfReading.Of(await office.Anonymous.GetByteArrayAsync(Customers(story, "invoice")));
        paid.Title.ShouldBe(open.Title);
        paid.Text.ShouldContain("PAID");
        paid.Links.ShouldBeEmpty();
        var receipt = PdfReading.Of(await office.Anonymous.GetByteArrayAsync(Customers(story, "receipt")));
        receipt.Title.ShouldBe($"Receipt for {open.Title["Invoice ".Length..]}");
        receipt.Text.ShouldContain("120.00 EUR");
        receipt.Text.Replace(" ", "", StringComparison.Ordinal).ShouldContain((string)(await story.Detail())["payments"]![0]!["id"]!);
        (await office.Freelancer.GetByteArrayAsync($"{story.Path}/receipt.pdf")).Length.ShouldBeGreaterThan(1_000);
    }

    [Fact]
    public async Task A_refund_has_a_number_and_stands_on_the_receipt()
    {
        var story = await (await (await new Story(office).Publish("upFront", "stripe")).Request("stripe")).Accept();
        await story.Pay();
        await story.Reaches("inProgress");

        using var asked = await story.Post("refunds", new { amount = new { amount = "20.00", currency = "EUR" }, reason = "The colours were wrong." });
        asked.IsSuccessStatusCode.ShouldBeTrue(await asked.Content.ReadAsStringAsync());
        await Eventually.Holds("the refund is on record", async () => (await story.History()).Contains("commission.refunded"));

        var text = PdfReading.Of(await office.Freelancer.GetByteArrayAsync($"{story.Path}/receipt.pdf")).Text;
        text.ShouldContain("Refund: The colours were wrong.");
        text.ShouldContain("What is left 100.00 EUR");
        text.Split(' ').Count(it => it.StartsWith($"{Office.Mira.Handle.ToUpperInvariant()}-0", StringComparison.Ordinal)).ShouldBeGreaterThanOrEqualTo(2);

        var credit = PdfReading.Of(await office.Anonymous.GetByteArrayAsync(Customers(story, "credit")));
        credit.Text.ShouldContain("Total credit 20.00 EUR");
        credit.Text.ShouldContain("Refund: The colours were wrong.");
        var invoice = PdfReading.Of(await office.Freelancer.GetByteArrayAsync($"{story.Path}/invoice.pdf")).Title["Invoice ".Length..];
        credit.Text.ShouldContain(invoice);
        var number = credit.Title["Credit ".Length..];
        text.ShouldContain(number, customMessage: "the receipt names the same credit");
        PdfReading.Of(await office.Freelancer.GetByteArrayAsync($"{story.Path}/credit.pdf?number={number}")).Title.ShouldBe(credit.Title);
        using var unknown = await office.Freelancer.GetAsync($"{story.Path}/credit.pdf?number={invoice}");
        await unknown.IsProblem(HttpStatusCode.NotFound, "not-found");
        using var stranger = await office.Second.GetAsync($"{story.Path}/credit.pdf");
        stranger.StatusCode.ShouldBe(HttpStatusCode.NotFound);
    }

    [Fact]
    public async Task What_an_invoice_does_not_ask_for_any_more_is_a_credit()
    {
        var desk = await MoneyDesk.Open(office);
        var story = await desk.Invoiced("stripe");
        await desk.Stripe(HttpMethod.Post, "credit_notes", ("invoice", await MoneyDesk.InvoiceId(story)), ("amount", "2000"));
        await MoneyDesk.Happens(story, "invoice-credited");

        var credit = PdfReading.Of(await office.Anonymous.GetByteArrayAsync(Customers(story, "credit")));

        credit.Text.ShouldContain("Not asked for any more");
        credit.Text.ShouldContain("Total credit 20.00 EUR");
        using var customer = new Browser(office.Url);
        (await customer.Open(story.StatusUrl)).Html.ShouldContain($"/customer/requests/{story.RequestId}/credit.pdf?token=");
    }

    [Fact]
    public async Task What_the_profile_said_when_the_invoice_was_issued_stays()
    {
        var shop = (Office.Jonas.Handle, office.Second);
        await Change(new { legalName = "Jonas Weld GmbH", address = new[] { "Hafenstrasse 1", "20457 Hamburg" }, taxId = "DE123456789", taxRateBasisPoints = 1_900 });
        var first = await (await (await new Story(office, shop).Publish("upFront", "stripe")).Request("stripe")).Accept();
        await first.PayUrl();

        await Change(new { legalName = "Jonas Weld", reverseChargeNote = "Reverse charge: the customer owes the tax." });

        var second = await (await (await new Story(office, shop).Publish("upFront", "stripe")).Request("stripe")).Accept();
        await second.PayUrl();
        var before = PdfReading.Of(await office.Second.GetByteArrayAsync($"{first.Path}/invoice.pdf")).Text;
        before.ShouldContain("Jonas Weld GmbH");
        before.ShouldContain("20457 Hamburg");
        before.ShouldContain("Tax 19 % 19.16 EUR");
        before.ShouldNotContain("Reverse charge");
        var after = PdfReading.Of(await office.Second.GetByteArrayAsync($"{second.Path}/invoice.pdf")).Text;
        after.ShouldContain("Reverse charge: the customer owes the tax.");
        after.ShouldNotContain("Hamburg");

        using var faulty = await office.Second.PutAsJsonAsync(Profile, new { displayName = "Jonas", email = "jonas@cavecomm.example", billing = new { taxRateBasisPoints = 9_999 } });
        faulty.StatusCode.ShouldBe(HttpStatusCode.UnprocessableEntity);
        (await faulty.Content.ReadAsStringAsync()).ShouldContain("billing.taxRateBasisPoints");
    }

    [Fact]
    public async Task The_record_shows_agreement_payment_delivery_and_the_first_download()
    {
        var story = await (await (await new Story(office).Publish("upFront", "stripe")).Request("stripe")).Accept();
        await story.Pay();
        await story.Reaches("inProgress");
        await story.Upload();
        var status = (await office.Anonymous.GetFromJsonAsync<JsonObject>(story.StatusUrl))!;
        await office.Anonymous.GetByteArrayAsync((string)status["downloadUrl"]!);
        await Eventually.Holds("the download is on record", async () => (await story.History()).Contains("commission.product-downloaded"));

        var record = PdfReading.Of(await office.Admin.GetByteArrayAsync($"{story.Path}/evidence.pdf"));

        string[] words =
        [
            story.Title, story.CustomerName, "Who or what?", "A raven", "raven.png", "First download", "by the customer", (string)status["files"]![0]!["sha256"]!, "Payment 120.00 EUR",
            "The work is ready, with the download link.", "The customer downloaded the product for the first time.",
        ];
        words.ShouldAllBe(it => record.Text.Contains(it, StringComparison.Ordinal), record.Text);
        (await office.Freelancer.GetByteArrayAsync($"{story.Path}/evidence.pdf")).Length.ShouldBeGreaterThan(1_000);

        using var erased = await office.Admin.PostAsJsonAsync($"admin/customers/{(Guid)(await story.Detail())["customer"]!["id"]!}/erase", new { reason = "asked for" });
        erased.IsSuccessStatusCode.ShouldBeTrue();
        foreach (var paper in new[] { "evidence", "invoice", "receipt" })
        {
            var text = PdfReading.Of(await office.Freelancer.GetByteArrayAsync($"{story.Path}/{paper}.pdf")).Text;
            text.ShouldContain("[erased]");
            text.ShouldNotContain(story.CustomerName);
            text.ShouldNotContain(story.CustomerEmail);
            text.ShouldNotContain("A raven");
        }
    }

    [Fact]
    public async Task Papers_are_for_those_whom_they_concern()
    {
        var story = await (await new Story(office).Publish("upFront", "stripe")).Request("stripe");
        using var none = await office.Freelancer.GetAsync($"{story.Path}/invoice.pdf");
        await none.IsProblem(HttpStatusCode.Conflict, "no-invoice");
        await story.Accept();
        await story.PayUrl();

        foreach (var (client, paper, status) in new[]
        {
            (office.Second, "invoice", HttpStatusCode.NotFound), (office.Second, "evidence", HttpStatusCode.NotFound), (office.Admin, "invoice", HttpStatusCode.NotFound),
            (office.Auditor, "evidence", HttpStatusCode.NotFound), (office.Anonymous, "evidence", HttpStatusCode.Unauthorized), (office.Admin, "evidence", HttpStatusCode.OK),
        })
        {
            using var answer = await client.GetAsync($"{story.Path}/{paper}.pdf");
            answer.StatusCode.ShouldBe(status, paper);
        }

        using var borrowed = await office.Admin.GetAsync($"freelancer/{Office.Jonas.Handle}/requests/{story.RequestId}/evidence.pdf");
        borrowed.StatusCode.ShouldBe(HttpStatusCode.NotFound);
        using var forged = await office.Anonymous.GetAsync($"customer/requests/{story.RequestId}/invoice.pdf?token=nonsense");
        await forged.IsProblem(HttpStatusCode.NotFound, "not-found");
        using var unknown = await office.Freelancer.GetAsync($"{story.Path}/invoice.pdf?number=MIRA-999999");
        await unknown.IsProblem(HttpStatusCode.NotFound, "not-found");
        using var head = await office.Freelancer.SendAsync(new HttpRequestMessage(HttpMethod.Head, $"{story.Path}/invoice.pdf"));
        head.StatusCode.ShouldBe(HttpStatusCode.OK);
        head.Content.Headers.ContentLength!.Value.ShouldBeGreaterThan(1_000);
        (await head.Content.ReadAsByteArrayAsync()).ShouldBeEmpty();
    }

    private static string Customers(Story story, string paper) => story.StatusUrl.Replace("?", $"/{paper}.pdf?", StringComparison.Ordinal);

    private async Task Change(object billing)
    {
        using var set = await office.Second.PutAsJsonAsync(Profile, new { displayName = "Jonas", email = "jonas@cavecomm.example", billing });
        set.StatusCode.ShouldBe(HttpStatusCode.OK, await set.Content.ReadAsStringAsync());
    }
}
