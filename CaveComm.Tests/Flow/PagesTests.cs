using System.Net;
using System.Text;
using CaveComm.Tests.Support;
using Shouldly;

namespace CaveComm.Tests.Flow;

/// <summary>The product as people use it: pages and forms, without a script.</summary>
public sealed class PagesTests(Office office) : IClassFixture<Office>
{
    private const string Hostile = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>";

    private static readonly string Shop = $"/freelancer/{Office.Mira.Handle}";

    [Fact]
    public async Task A_commission_is_played_from_sign_in_to_download_by_forms_alone()
    {
        var template = NewName();
        using var mira = await SignedIn();
        await Publish(mira, template, "A portrait");
        mira.Status.ShouldBe(HttpStatusCode.OK);
        mira.Path.ShouldBe($"{Shop}/templates");
        mira.Html.ShouldContain("A portrait");

        using var ada = new Browser(office.Url);
        await Ask(ada, template, "Ada Lovelace");
        ada.Status.ShouldBe(HttpStatusCode.OK);
        ada.Path.ShouldStartWith("/customer/requests/");
        var statusPage = ada.Path;
        var request = $"{Shop}/requests/{statusPage.Split('/', '?')[3]}";

        // Another browser asked, so this one knows of no position to wait for.
        await Eventually.Holds("the inbox shows the request", async () => (await mira.Open($"{Shop}/inbox?status=requested&limit=200")).Html.Contains($"href=\"{request}\"", StringComparison.Ordinal));
        await mira.Open(request);
        mira.Html.ShouldContain("A raven");
        mira.Actions.ShouldNotContain($"{request}/finalProduct");
        await mira.Open(mira.Link("Accept"));
        await mira.Submit($"{request}/accept");
        mira.Path.ShouldBe(request);

        await Eventually.Holds("the customer can pay", async () => (await ada.Open(statusPage)).Html.Contains("Pay 120.00 EUR", StringComparison.Ordinal));
        using (var payer = new HttpClient())
        using (var form = new FormUrlEncodedContent([KeyValuePair.Create("action", "pay")]))
        {
            using var paid = await payer.PostAsync(ada.Link("Pay 120.00"), form);
            paid.IsSuccessStatusCode.ShouldBeTrue();
        }

        await Eventually.Holds("the page shows the payment", async () => (await mira.Open(request)).Html.Contains("It is your turn", StringComparison.Ordinal));
        await mira.Upload($"{request}/finalProduct", "file", ("raven.png", Encoding.UTF8.GetBytes("the raven, finished")));
        mira.Path.ShouldBe(request);
        mira.Html.ShouldContain(Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData("the raven, finished"u8)));
        Encoding.UTF8.GetString(await mira.Fetch(mira.Link("Your own copy"))).ShouldBe("the raven, finished");

        await ada.Open(statusPage);
        Encoding.UTF8.GetString(await ada.Fetch(ada.Link("Download the work"))).ShouldBe("the raven, finished");
        ada.Actions.ShouldNotContain(it => it.Contains("/withdraw", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_template_form_with_faults_keeps_what_was_typed_and_says_what_is_wrong_at_the_fields()
    {
        var template = NewName();
        using var mira = await SignedIn();

        await mira.Open($"{Shop}/templateEditor?name={template}");
        await mira.Submit(
            $"{Shop}/templates/{template}",
            ("title", "Kept title"), ("description", ""), ("price.amount", "12"), ("price.currency", "EUR"), ("paymentTerms", "onDelivery"), ("providers[1]", "btcpay"),
            ("questions[0].label", ""), ("questions[0].kind", "text"), ("questions[1].label", "Which size?"), ("questions[1].kind", "choice"), ("questions[1].options", "small\r\nlarge"));

        mira.Status.ShouldBe(HttpStatusCode.UnprocessableEntity);
        mira.Html.ShouldContain("Kept title");
        mira.Html.ShouldContain("Which size?");
        mira.Html.ShouldContain("aria-describedby=\"f-price-amount-hint f-price-amount-fault\"");
        mira.Html.ShouldContain("id=\"f-description-fault\"");
        await mira.Submit(
            $"{Shop}/templates/{template}",
            ("title", "Kept title"), ("description", "Kept text"), ("price.amount", "12.00"), ("price.currency", "EUR"), ("paymentTerms", "onDelivery"), ("providers[1]", "btcpay"),
            ("questions[0].label", "Which size?"), ("questions[0].kind", "choice"), ("questions[0].options", "small\r\nlarge"));
        mira.Path.ShouldBe($"{Shop}/templates");

        using var ada = new Browser(office.Url);
        await ada.Open($"/customer/{Office.Mira.Handle}/template/{template}");
        ada.Html.ShouldContain("<option value=\"large\">large</option>");
        await ada.Submit(
            $"/customer/{Office.Mira.Handle}/template/{template}/request", ("customer.name", "Kept name"), ("customer.email", "nowhere"), ("answers.q1", "huge"));
        ada.Status.ShouldBe(HttpStatusCode.UnprocessableEntity);
        ada.Html.ShouldContain("value=\"Kept name\"");
        ada.Html.ShouldContain("id=\"f-customer-email-fault\"");
        ada.Html.ShouldContain("id=\"f-answers-q1-fault\"");
    }

    [Fact]
    public async Task Hostile_text_is_shown_as_text_on_every_page()
    {
        var template = NewName();
        using var mira = await SignedIn();
        await Publish(mira, template, Hostile);
        mira.Html.ShouldNotContain("<script", Case.Insensitive);
        mira.Html.ShouldNotContain("<img src=x", Case.Insensitive);

        using var ada = new Browser(office.Url);
        await Ask(ada, template, Hostile, Hostile);
        var statusPage = ada.Path;
        var request = $"{Shop}/requests/{statusPage.Split('/', '?')[3]}";
        await Eventually.Holds("the front page shows the template", async () => (await ada.Open("/?limit=200")).Html.Contains(template, StringComparison.Ordinal));
        await Eventually.Holds("the inbox shows the request", async () => (await mira.Open($"{Shop}/inbox?limit=200")).Html.Contains(request, StringComparison.Ordinal));
        foreach (var page in (string[])["/?limit=200", $"/customer/{Office.Mira.Handle}/template/{template}", statusPage])
        {
            await ShowsText(ada, page);
        }

        foreach (var page in (string[])[$"{Shop}/inbox?limit=200", request, $"{request}/accept", $"{request}/decline", $"{Shop}/templates", $"{Shop}/templateEditor?name={template}"])
        {
            await ShowsText(mira, page);
        }

        await mira.Open($"{request}/decline");
        await mira.Submit($"{request}/decline", ("reason", Hostile));
        await ShowsText(mira, request);
        await ShowsText(ada, statusPage);
        ada.Html.ShouldContain("declined");
    }

    [Fact]
    public async Task A_form_without_its_token_changes_nothing()
    {
        using var mira = await SignedIn();
        await mira.Open($"{Shop}/templates");
        mira.Actions.ShouldContain($"{Shop}/close");

        using var bare = await mira.Send($"{Shop}/close");

        bare.IsSuccessStatusCode.ShouldBeFalse();
        (await mira.Open($"{Shop}/templates")).Actions.ShouldContain($"{Shop}/close");
    }

    private static string NewName() => $"pages-{Guid.NewGuid():N}";

    private static async Task ShowsText(Browser browser, string address)
    {
        await browser.Open(address);
        browser.Status.ShouldBe(HttpStatusCode.OK, address);
        browser.Html.ShouldNotContain("<script", Case.Insensitive, address);
        browser.Html.ShouldNotContain("<img src=x", Case.Insensitive, address);
        browser.Html.ShouldContain("&lt;script&gt;", Case.Insensitive, address);
    }

    private async Task<Browser> SignedIn()
    {
        var browser = new Browser(office.Url);
        await browser.Open($"{Shop}/inbox");
        await browser.Submit("/freelancer/login", ("username", Office.Mira.Handle), ("password", Office.Mira.Password));
        browser.Path.ShouldBe($"{Shop}/inbox");
        return browser;
    }

    private static async Task Publish(Browser mira, string template, string title)
    {
        await mira.Open($"{Shop}/templateEditor?name={template}");
        await mira.Submit(
            $"{Shop}/templates/{template}",
            ("title", title), ("description", "One figure."), ("price.amount", "120.00"), ("price.currency", "EUR"), ("paymentTerms", "upFront"), ("providers[0]", "stripe"),
            ("questions[0].label", "Who or what?"), ("questions[0].kind", "longText"), ("questions[0].required", "true"), ("questions[1].label", ""), ("questions[1].kind", "text"),
            ("slots", ""), ("dueDays", ""), ("termsOfService", ""));
    }

    private static async Task Ask(Browser customer, string template, string name, string answer = "A raven")
    {
        var address = $"/customer/{Office.Mira.Handle}/template/{template}";
        await customer.Open(address);
        await customer.Submit($"{address}/request", ("customer.name", name), ("customer.email", $"{template}@example.com"), ("answers.q1", answer));
    }
}
