using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using CaveComm.Tests.Support;
using Shouldly;

namespace CaveComm.Tests.Flow;

/// <summary>Each arrow of the commission flowchart (spec: commissions.md), through HTTP against real PostgreSQL and the look-alikes.</summary>
public sealed class FlowchartTests(Office office) : IClassFixture<Office>
{
    [Fact]
    public async Task F1_The_front_page_lists_open_freelancers_with_their_templates()
    {
        var story = await new Story(office).Publish("upFront", "stripe");

        JsonArray templates = [];
        await Eventually.Holds("the front page shows the template", async () =>
        {
            var page = await office.Anonymous.GetFromJsonAsync<JsonObject>("?limit=200");
            var mira = page!["items"]!.AsArray().SingleOrDefault(f => (string)f!["handle"]! == Office.Mira.Handle);
            templates = mira?["templates"]?.AsArray() ?? [];
            return templates.Any(t => (string)t!["name"]! == story.Template);
        });
        templates.Single(t => (string)t!["name"]! == story.Template)!["price"]!.ToJsonString().ShouldBe("""{"amount":"120.00","currency":"EUR"}""");

        using var browser = office.Client(null, "text/html");
        (await browser.GetStringAsync("")).ShouldContain(story.Title);
    }

    [Fact]
    public async Task F2_A_template_shows_text_price_terms_questions_and_form()
    {
        var story = await new Story(office).Publish("onDelivery", "btcpay");
        var address = $"customer/{Office.Mira.Handle}/template/{story.Template}";

        var template = await office.Anonymous.GetFromJsonAsync<JsonObject>(address);
        ((string)template!["title"]!).ShouldBe(story.Title);
        ((string)template["paymentTerms"]!).ShouldBe("onDelivery");
        template["questions"]!.AsArray().Count.ShouldBe(3);

        using var browser = office.Client(null, "text/html");
        var page = await browser.GetStringAsync(address);
        page.ShouldContain(story.Title);
        page.ShouldContain("Who or what?");
        page.ShouldContain($"action=\"/{address}/request\"");
    }

    [Fact]
    public async Task F3_A_request_is_stored_answered_with_its_place_and_acknowledged_by_mail()
    {
        var story = await new Story(office).Publish("upFront", "stripe");

        using var answer = await story.PostRequest("stripe");

        answer.StatusCode.ShouldBe(HttpStatusCode.Created);
        answer.Headers.Location.ShouldNotBeNull();
        answer.Headers.GetValues("CaveComm-Position").ShouldHaveSingleItem();
        var body = await answer.Content.ReadFromJsonAsync<JsonObject>();
        ((string)body!["status"]!).ShouldBe("requested");
        var statusUrl = (string)body["statusUrl"]!;
        var status = await office.Anonymous.GetFromJsonAsync<JsonObject>(statusUrl);
        ((string)status!["status"]!).ShouldBe("requested");
        var mail = await office.Mail(story.CustomerEmail, "has arrived");
        ((string)mail["text"]!).ShouldContain("/customer/requests/");
        ((string)mail["html"]!).ShouldContain("/customer/requests/");
    }

    [Fact]
    public async Task F4_The_inbox_lists_requests_newest_first_and_filters_by_status()
    {
        var older = await (await new Story(office).Publish("upFront", "stripe")).Request("stripe");
        using var asked = await older.PostRequest("stripe");
        var newer = (Guid)(await asked.Content.ReadFromJsonAsync<JsonObject>())!["requestId"]!;
        using var declined = await older.Post("decline");
        var position = declined.Headers.GetValues("CaveComm-Position").Single();

        var all = await Inbox("?limit=200", position);
        var order = all.Select(line => (Guid)line!["requestId"]!).ToList();
        order.IndexOf(newer).ShouldBeLessThan(order.IndexOf(older.RequestId));
        var line = all.Single(l => (Guid)l!["requestId"]! == older.RequestId)!;
        ((string)line["status"]!).ShouldBe("declined");
        ((string)line["customer"]!["name"]!).ShouldBe("Ada Lovelace");
        ((string)line["template"]!).ShouldBe(older.Template);
        ((bool)line["unread"]!).ShouldBeTrue();

        var waiting = await Inbox("?limit=200&status=requested", position);
        waiting.ShouldAllBe(l => (string)l!["status"]! == "requested");
        waiting.ShouldContain(l => (Guid)l!["requestId"]! == newer);
    }

    [Fact]
    public async Task F5_A_request_is_shown_with_its_history()
    {
        var story = await (await new Story(office).Publish("upFront", "stripe")).Request("stripe");

        using var answer = await office.Freelancer.GetAsync(story.Path);

        answer.Headers.ETag!.Tag.ShouldBe("\"1\"");
        var detail = await answer.Content.ReadFromJsonAsync<JsonObject>();
        ((string)detail!["customer"]!["email"]!).ShouldBe(story.CustomerEmail);
        ((string)detail["answers"]!["subject"]!).ShouldBe("A raven");
        ((int)detail["answers"]!["figures"]!).ShouldBe(2);
        ((string)detail["history"]![0]!["type"]!).ShouldBe("commission.requested");
        ((string)detail["history"]![0]!["text"]!).ShouldContain("Ada Lovelace");
        ((int)detail["version"]!).ShouldBe(1);
    }

    [Fact]
    public async Task F6_A_request_is_accepted()
    {
        var story = await (await new Story(office).Publish("onDelivery", "stripe")).Request("stripe");

        using var answer = await story.Post("accept");

        answer.StatusCode.ShouldBe(HttpStatusCode.OK);
        ((string)(await answer.Content.ReadFromJsonAsync<JsonObject>())!["status"]!).ShouldBe("inProgress");
        (await story.History()).ShouldBe(["commission.requested", "commission.accepted"]);
    }

    [Fact]
    public async Task F7_A_declined_request_sends_the_declining_letter_with_the_reason()
    {
        var story = await (await new Story(office).Publish("upFront", "stripe")).Request("stripe");

        using var answer = await story.Post("decline", new { reason = "I am fully booked until spring." });

        answer.StatusCode.ShouldBe(HttpStatusCode.OK);
        var mail = await office.Mail(story.CustomerEmail, "declined");
        ((string)mail["text"]!).ShouldContain("fully booked until spring");
        (await story.History()).ShouldBe(["commission.requested", "commission.declined"]);
    }

    [Fact]
    public async Task F8_Work_agreed_elsewhere_is_accepted_already_and_invoiced()
    {
        var story = await new Story(office).CreateInvoice("upFront", "stripe");

        var detail = await story.Reaches("awaitingPayment");

        (await story.History()).Take(3).ShouldBe(["commission.requested", "commission.accepted", "commission.invoice-issued"]);
        detail["invoice"]!["amount"]!.ToJsonString().ShouldBe("""{"amount":"80.00","currency":"EUR"}""");
        await office.Mail(story.CustomerEmail, "");
    }

    [Fact]
    public async Task F9_Signing_in_gives_a_token_that_opens_the_inbox_and_nothing_else_does()
    {
        using var signIn = await office.Anonymous.PostAsJsonAsync("freelancer/login", new { username = Office.Mira.Handle, password = Office.Mira.Password });
        var token = await signIn.Content.ReadFromJsonAsync<JsonObject>();
        ((string)token!["token_type"]!).ShouldBe("Bearer");
        ((int)token["expires_in"]!).ShouldBeGreaterThan(0);

        using var mira = office.Client((string)token["access_token"]!);
        using var own = await mira.GetAsync($"freelancer/{Office.Mira.Handle}/inbox");
        using var others = await mira.GetAsync($"freelancer/{Office.Jonas.Handle}/inbox");
        using var nobody = await office.Anonymous.GetAsync($"freelancer/{Office.Mira.Handle}/inbox");
        using var wrong = await office.Anonymous.PostAsJsonAsync("freelancer/login", new { username = Office.Mira.Handle, password = "guess" });
        own.StatusCode.ShouldBe(HttpStatusCode.OK);
        others.StatusCode.ShouldBe(HttpStatusCode.NotFound);
        nobody.StatusCode.ShouldBe(HttpStatusCode.Unauthorized);
        wrong.StatusCode.ShouldBe(HttpStatusCode.Unauthorized);
    }

    [Theory]
    [InlineData("stripe", "in_")]
    [InlineData("btcpay", "")]
    public async Task F10_Accepting_up_front_work_sets_the_invoice_up_and_records_its_id(string provider, string prefix)
    {
        var story = await (await (await new Story(office).Publish("upFront", provider)).Request(provider)).Accept();

        var detail = await story.Reaches("awaitingPayment");

        ((string)detail["invoice"]!["id"]!).ShouldStartWith(prefix);
        ((string)detail["invoice"]!["provider"]!).ShouldBe(provider);
        detail["invoice"]!["payUrl"].ShouldNotBeNull();
    }

    [Theory]
    [InlineData("stripe")]
    [InlineData("btcpay")]
    public async Task F11_Payment_is_noticed_and_the_freelancer_is_told(string provider)
    {
        var story = await (await (await new Story(office).Publish("upFront", provider)).Request(provider)).Accept();

        await story.Pay();

        var detail = await story.Reaches("inProgress");
        detail["payments"]!.AsArray().Count.ShouldBe(1);
        detail["received"]!.ToJsonString().ShouldBe("""{"amount":"120.00","currency":"EUR"}""");
        await office.Mail(Office.Mira.Handle, $"Paid: \u201c{story.Title}");
    }

    [Theory]
    [InlineData("stripe")]
    [InlineData("btcpay")]
    public async Task F12_The_customer_is_mailed_the_invoice_with_its_pay_link(string provider)
    {
        var story = await (await (await new Story(office).Publish("upFront", provider)).Request(provider)).Accept();
        var payUrl = (await story.PayUrl()).AbsoluteUri;

        await Eventually.Holds("a mail with the pay link", async () => (await office.Mails(story.CustomerEmail)).Any(m => ((string)m["text"]!).Contains(payUrl, StringComparison.Ordinal)));
        (await office.Mails(story.CustomerEmail)).Count(m => ((string)m["text"]!).Contains(payUrl, StringComparison.Ordinal)).ShouldBe(1);
    }

    [Fact]
    public async Task F13_Uploading_the_final_product_starts_delivery()
    {
        var story = await (await (await new Story(office).Publish("onDelivery", "stripe")).Request("stripe")).Accept();

        var answer = await story.Upload();

        ((string)answer["delivery"]!).ShouldBe("awaitingPayment");
        var file = answer["files"]![0]!;
        ((string)file["name"]!).ShouldBe("raven.png");
        ((string)file["sha256"]!).ShouldBe(Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData("the raven, finished"u8)));
        (await story.History()).ShouldContain("commission.product-uploaded");
    }

    [Fact]
    public async Task F14_The_freelancer_gets_an_own_link_to_the_product()
    {
        var story = await (await (await new Story(office).Publish("onDelivery", "stripe")).Request("stripe")).Accept();

        var link = (string)(await story.Upload())["downloadUrl"]!;

        using var file = await office.Anonymous.GetAsync(link);
        (await file.Content.ReadAsStringAsync()).ShouldBe("the raven, finished");
        file.Content.Headers.ContentDisposition!.DispositionType.ShouldBe("attachment");
        (await story.History()).ShouldNotContain("commission.product-downloaded");
    }

    [Theory]
    [InlineData("upFront", "awaitingUpFrontPayment")]
    [InlineData("onDelivery", "awaitingPayment")]
    public async Task F15_Delivery_looks_at_the_payment_terms(string terms, string delivery)
    {
        var story = await (await (await new Story(office).Publish(terms, "stripe")).Request("stripe")).Accept();

        ((string)(await story.Upload())["delivery"]!).ShouldBe(delivery);

        await story.Reaches("awaitingPayment");
        (await office.Mails(story.CustomerEmail)).ShouldAllBe(m => !((string)m["subject"]!).Contains("ready for download", StringComparison.Ordinal));
    }

    [Fact]
    public async Task F16_Up_front_and_paid_work_is_mailed_to_the_customer_at_once()
    {
        var story = await (await (await new Story(office).Publish("upFront", "stripe")).Request("stripe")).Accept();
        await story.Pay();
        await story.Reaches("inProgress");

        ((string)(await story.Upload())["delivery"]!).ShouldBe("sent");

        (await Download(story)).ShouldBe("the raven, finished");
    }

    [Theory]
    [InlineData("stripe")]
    [InlineData("btcpay")]
    public async Task F17_On_delivery_the_invoice_is_set_up_with_the_upload_and_mailed(string provider)
    {
        var story = await (await (await new Story(office).Publish("onDelivery", provider)).Request(provider)).Accept();
        (await story.Detail())["invoice"].ShouldBeNull();

        await story.Upload();

        var payUrl = (await story.PayUrl()).AbsoluteUri;
        var detail = await story.Reaches("awaitingPayment");
        detail["invoice"]!["amount"]!.ToJsonString().ShouldBe("""{"amount":"120.00","currency":"EUR"}""");
        await Eventually.Holds("a mail with the pay link", async () => (await office.Mails(story.CustomerEmail)).Any(m => ((string)m["text"]!).Contains(payUrl, StringComparison.Ordinal)));
    }

    [Theory]
    [InlineData("stripe")]
    [InlineData("btcpay")]
    public async Task F18_When_it_is_paid_the_freelancer_is_told_and_the_customer_gets_the_link(string provider)
    {
        var story = await (await (await new Story(office).Publish("onDelivery", provider)).Request(provider)).Accept();
        await story.Upload();

        await story.Pay();

        (await Download(story)).ShouldBe("the raven, finished");
        await office.Mail(Office.Mira.Handle, $"Paid: \u201c{story.Title}");
        await Eventually.Holds("the download is on record", async () => (await story.History()).Contains("commission.product-downloaded"));
    }

    [Fact]
    public async Task F19_Delivery_of_paid_work_starts_the_payout_less_the_fee()
    {
        var story = await (await (await new Story(office).Publish("upFront", "stripe")).Request("stripe")).Accept();
        await story.Pay();
        await story.Reaches("inProgress");
        await story.Upload();

        JsonNode? payout = null;
        await Eventually.Holds("the payout is requested", async () => (payout = (await story.Detail())["payout"]) is not null);

        payout!["amount"]!.ToJsonString().ShouldBe("""{"amount":"114.00","currency":"EUR"}""");
        payout["fee"]!.ToJsonString().ShouldBe("""{"amount":"6.00","currency":"EUR"}""");
    }

    [Theory]
    [InlineData("stripe", "EUR")]
    [InlineData("btcpay", "BTC")]
    public async Task F20_The_provider_sends_the_money_and_its_confirmation_is_recorded(string provider, string coin)
    {
        var story = await (await (await new Story(office).Publish("onDelivery", provider)).Request(provider)).Accept();
        await story.Upload();
        await story.Pay();

        var detail = await story.Reaches("paidOut");

        ((string)detail["payout"]!["status"]!).ShouldBe("paid");
        ((string)detail["payout"]!["amount"]!["currency"]!).ShouldBe(coin);
        ((string?)detail["payout"]!["id"]).ShouldNotBeNullOrEmpty();
        await office.Mail(Office.Mira.Handle, $"Paid out: \u201c{story.Title}");
    }

    private async Task<JsonArray> Inbox(string query, string position)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, $"freelancer/{Office.Mira.Handle}/inbox{query}");
        request.Headers.Add("CaveComm-Position", position);
        using var answer = await office.Freelancer.SendAsync(request);
        answer.StatusCode.ShouldBe(HttpStatusCode.OK);
        return (await answer.Content.ReadFromJsonAsync<JsonObject>())!["items"]!.AsArray();
    }

    private async Task<string> Download(Story story)
    {
        var mail = await office.Mail(story.CustomerEmail, "ready for download");
        var link = ((string)mail["text"]!).Split('\n').Single(line => line.Contains("/downloads/", StringComparison.Ordinal));
        return await office.Anonymous.GetStringAsync(link);
    }
}
