using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using CaveComm.Api;
using CaveComm.Domain;
using CaveComm.Projections.Commissions;
using CaveComm.Tests.Support;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Shouldly;

namespace CaveComm.Tests.Flow;

/// <summary>Download links: forged, too old, replaced; and what HTTP asks of a download.</summary>
[Collection(nameof(BadInputOffice))]
public sealed class DownloadBadInputTests(Office office)
{
    private const string Content = "the raven, finished";

    [Fact]
    public async Task A_forged_link_leads_nowhere()
    {
        var story = await Delivered();
        var link = await Link(story);
        var token = link[(link.LastIndexOf('/') + 1)..];
        var statusToken = new Uri(story.StatusUrl).Query["?token=".Length..];

        foreach (var forged in (string[])["x", "AAAA", token[..^4], token[..^1] + (token[^1] == 'A' ? 'Q' : 'A'), token + "AAAA", statusToken, new string('A', 4_000)])
        {
            using var fetched = await office.Anonymous.GetAsync($"downloads/{forged}");
            await fetched.IsProblem(HttpStatusCode.NotFound, "not-found");
            await office.IsRefused(story, () => office.Anonymous.PostAsync($"downloads/{forged}/renew", null), HttpStatusCode.NotFound, "not-found");
        }
    }

    [Fact]
    public async Task A_link_made_before_delivery_opens_nothing()
    {
        var story = await (await (await new Story(office).Publish("onDelivery", "stripe")).Request("stripe")).Accept();
        await story.Upload();
        await story.Reaches("awaitingPayment");
        var early = await Forge(story, DownloadRecipient.Customer, DateTimeOffset.UtcNow);

        using var fetched = await office.Anonymous.GetAsync(early);
        await fetched.IsProblem(HttpStatusCode.NotFound, "not-found");
    }

    [Fact]
    public async Task An_expired_link_offers_a_fresh_one_by_mail_and_tells_no_address()
    {
        var story = await Delivered();
        var expired = await Forge(story, DownloadRecipient.Customer, DateTimeOffset.UtcNow - Links.DownloadLifetime - TimeSpan.FromMinutes(1));
        var old = await Link(story);

        await office.IsRefused(story, () => office.Anonymous.GetAsync(expired), HttpStatusCode.Gone, "link-expired");
        using var browser = office.Client(null, "text/html");
        using var page = await browser.GetAsync(expired);
        page.StatusCode.ShouldBe(HttpStatusCode.Gone);
        (await page.Content.ReadAsStringAsync()).ShouldNotContain(story.CustomerEmail);

        using var renewed = await office.Anonymous.PostAsync($"{expired}/renew", null);

        renewed.StatusCode.ShouldBe(HttpStatusCode.Accepted);
        (await renewed.Content.ReadAsStringAsync()).ShouldNotContain("@");
        var mail = await office.Mail(story.CustomerEmail, "fresh download link");
        var fresh = LinkIn(mail);
        (await office.Anonymous.GetStringAsync(fresh)).ShouldBe(Content);
        using var dead = await office.Anonymous.GetAsync(old);
        await dead.IsProblem(HttpStatusCode.Gone, "link-expired");
    }

    [Fact]
    public async Task The_freelancers_own_link_renews_nothing()
    {
        var story = await (await (await new Story(office).Publish("onDelivery", "stripe")).Request("stripe")).Accept();
        var own = (string)(await story.Upload())["downloadUrl"]!;

        // The status changes with the upload; the invoice, which is the last of what follows, comes after it.
        await story.PayUrl();

        await office.IsRefused(story, () => office.Anonymous.PostAsync($"{own}/renew", null), HttpStatusCode.NotFound, "not-found");
    }

    [Fact]
    public async Task A_download_honours_range_etag_and_head()
    {
        var story = await Delivered();
        var link = await Link(story);

        using var head = await office.Anonymous.SendAsync(new HttpRequestMessage(HttpMethod.Head, link));
        head.StatusCode.ShouldBe(HttpStatusCode.OK);
        head.Content.Headers.ContentLength.ShouldBe(Content.Length);
        head.Headers.AcceptRanges.ShouldContain("bytes");
        (await story.History()).ShouldNotContain("commission.product-downloaded", "HEAD fetches nothing");

        using var whole = await office.Anonymous.GetAsync(link);
        var tag = whole.Headers.ETag!;
        tag.IsWeak.ShouldBeFalse();
        tag.Tag.ShouldBe(head.Headers.ETag!.Tag);
        whole.Headers.GetValues("X-Content-Type-Options").ShouldBe(["nosniff"]);
        whole.Content.Headers.ContentDisposition!.DispositionType.ShouldBe("attachment");

        using var part = await Get(link, it => it.Range = new RangeHeaderValue(4, 8));
        part.StatusCode.ShouldBe(HttpStatusCode.PartialContent);
        part.Content.Headers.ContentRange!.ToString().ShouldBe($"bytes 4-8/{Content.Length}");
        (await part.Content.ReadAsStringAsync()).ShouldBe("raven");
        using var end = await Get(link, it => it.Range = new RangeHeaderValue(null, 8));
        (await end.Content.ReadAsStringAsync()).ShouldBe("finished");
        using var beyond = await Get(link, it => it.Range = new RangeHeaderValue(100, 200));
        beyond.StatusCode.ShouldBe(HttpStatusCode.RequestedRangeNotSatisfiable);

        using var known = await Get(link, it => it.IfNoneMatch.Add(tag));
        known.StatusCode.ShouldBe(HttpStatusCode.NotModified);
        using var resumed = await Get(link, it => (it.Range, it.IfRange) = (new RangeHeaderValue(4, 8), new RangeConditionHeaderValue(tag)));
        resumed.StatusCode.ShouldBe(HttpStatusCode.PartialContent);
        using var changed = await Get(link, it => (it.Range, it.IfRange) = (new RangeHeaderValue(4, 8), new RangeConditionHeaderValue("\"another\"")));
        changed.StatusCode.ShouldBe(HttpStatusCode.OK);
        (await story.History()).Count(it => it == "commission.product-downloaded").ShouldBe(1);
    }

    [Fact]
    public async Task Several_files_make_one_product_and_a_second_product_is_mailed_again()
    {
        var story = await (await (await new Story(office).Publish("upFront", "stripe")).Request("stripe")).Accept();
        await story.Pay();
        await story.Reaches("inProgress");
        using var first = await story.PostProduct(("../raven.png", "one"u8.ToArray()), ("raven.png", "two"u8.ToArray()), ("leer \u00fc.png", []));
        first.StatusCode.ShouldBe(HttpStatusCode.Created, await first.Content.ReadAsStringAsync());

        var list = await office.Anonymous.GetFromJsonAsync<JsonObject>(await Link(story));
        var files = list!["files"]!.AsArray();
        files.Select(it => (string)it!["name"]!).ShouldBe(["raven.png", "raven.png", "leer \u00fc.png"]);
        var contents = new List<string>();
        foreach (var file in files)
        {
            contents.Add(await office.Anonymous.GetStringAsync(new Uri(office.Url, (string)file!["url"]!)));
        }

        contents.ShouldBe(["one", "two", ""]);
        using var unknown = await office.Anonymous.GetAsync($"{await Link(story)}/{Guid.NewGuid()}");
        await unknown.IsProblem(HttpStatusCode.NotFound, "not-found");

        ((string)(await story.Upload("the second version"))["delivery"]!).ShouldBe("sent");
        await Eventually.Holds("both products were mailed", async () => await ProductMails(story) == 2);
        (await office.Anonymous.GetStringAsync(await Link(story))).ShouldBe("the second version");
        (await story.History()).Count(it => it == "commission.delivered").ShouldBe(2);
    }

    private async Task<Story> Delivered()
    {
        var story = await (await (await new Story(office).Publish("upFront", "stripe")).Request("stripe")).Accept();
        await story.Pay();
        await story.Reaches("inProgress");
        await story.Upload(Content);

        // The payout goes on by itself; what is looked at here stands still after it.
        await story.Reaches("paidOut");
        return story;
    }

    private async Task<int> ProductMails(Story story) =>
        (await office.Mails(story.CustomerEmail)).Count(it => ((string)it["subject"]!).Contains("ready for download", StringComparison.Ordinal));

    /// <summary>The link in the newest mail that brought the product.</summary>
    private async Task<string> Link(Story story) => LinkIn(await office.Mail(story.CustomerEmail, "ready for download"));

    private static string LinkIn(JsonObject mail) =>
        ((string)mail["text"]!).Split('\n').Single(line => line.Contains("/downloads/", StringComparison.Ordinal)).Trim();

    /// <summary>A link as the product itself would have made it at another time.</summary>
    private async Task<string> Forge(Story story, DownloadRecipient recipient, DateTimeOffset madeAt)
    {
        var links = new Links(office.Services.GetRequiredService<IDataProtectionProvider>(), office.Services.GetRequiredService<IOptions<CaveCommOptions>>(), new At(madeAt));
        await using var session = office.Store.QuerySession();
        var detail = await session.Events.AggregateStreamAsync<CommissionDetail>(StreamKey.Commission(story.RequestId));
        return links.Download(detail!, recipient).AbsoluteUri;
    }

    private async Task<HttpResponseMessage> Get(string link, Action<HttpRequestHeaders> with)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, link);
        with(request.Headers);
        return await office.Anonymous.SendAsync(request);
    }

    private sealed class At(DateTimeOffset now) : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => now;
    }
}
