using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using CaveComm.Tests.Http;
using CaveComm.Tests.OAuth;
using CaveComm.Tests.Support;
using Shouldly;

namespace CaveComm.Tests.Flow;

/// <summary>Every page in a real browser, wide and narrow: axe finds nothing serious, nothing is wider than the screen, and people sign in by the keyboard alone.</summary>
public sealed class AccessiblePagesTests(PageBrowser browser, AccessCallers callers) : IClassFixture<PageBrowser>, IClassFixture<AccessCallers>
{
    /// <summary>Fewer would mean that pages were missed.</summary>
    private const int FewestPages = 45;

    private static readonly string[] Leaving = ["GET /admin", "GET /favicon.ico"];

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Every_page_can_be_used_by_everybody_at_every_width()
    {
        Assert.SkipWhen(browser.Missing is not null, browser.Missing ?? "");
        var office = callers.Office;
        using var keeper = office.Client(await office.SignIn(callers.Keeper));
        using var jonas = office.Client(await office.SignIn(Office.Jonas));
        var customer = callers.All.Single(it => it.Name == "customer");
        var consent = "oauth2/authorize" + OAuthTalk.Query(("scope", "commissions:read billing:read openid profile"));
        var plan = new
        {
            keeper = new
            {
                username = callers.Keeper.Handle,
                password = callers.Keeper.Password,
                paths = (await Pages(keeper, new AccessCaller("keeper", keeper, callers.OfKeeper), isOpen: false)).Append($"/{consent}"),
                codes = await TurnOnSecondFactor(keeper),
            },
            plain = new { username = Office.Jonas.Handle, password = Office.Jonas.Password, paths = new[] { "/account", "/account/second-factor", $"/freelancer/{Office.Jonas.Handle}/inbox" } },
            nobody = await Pages(office.Anonymous, customer, isOpen: true),
            refused = new[] { "/account/password-reset/new?token=guessed", "/oauth2/authorize?client_id=nobody", "/nowhere" },
        };

        var (code, said) = (await browser.Judge(office.Url, JsonSerializer.Serialize(plan)))!.Value;

        code.ShouldBe(0, said);
        var report = JsonDocument.Parse(said.Split('\n').First(it => it.StartsWith("{\"judged\"", StringComparison.Ordinal))).RootElement;
        string.Join('\n', report.GetProperty("found").EnumerateArray()).ShouldBe("");
        report.GetProperty("judged").GetInt32().ShouldBeGreaterThan(2 * FewestPages);
    }

    /// <summary>Each address that this caller gets a page from.</summary>
    /// <param name="isOpen">Those that are there for people who have not signed in, or only the others.</param>
    private async Task<IReadOnlyList<string>> Pages(HttpClient client, AccessCaller caller, bool isOpen)
    {
        var pages = new List<string>();
        foreach (var row in AccessRow.Read().Where(it => it.Method == "GET" && (it.Cells["customer"] == "yes") == isOpen && !Leaving.Contains(it.Route)))
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, caller.PathOf(row));
            request.Headers.Accept.ParseAdd("text/html");
            request.Headers.Authorization = client.DefaultRequestHeaders.Authorization;
            using var answer = await callers.Office.Client(null, "text/html").SendAsync(request, HttpCompletionOption.ResponseHeadersRead, Cancel);
            if (answer.StatusCode == HttpStatusCode.OK && answer.Content.Headers.ContentType?.MediaType == "text/html")
            {
                pages.Add("/" + caller.PathOf(row));
            }
        }

        return pages;
    }

    /// <returns>Recovery codes, which stand in for the app's.</returns>
    private static async Task<IReadOnlyList<string>> TurnOnSecondFactor(HttpClient client)
    {
        var offer = (await (await client.GetAsync("account/second-factor", Cancel)).Json()).GetProperty("offer");
        using var answer = await client.PostAsJsonAsync("account/second-factor", new
        {
            setup = offer.GetProperty("setup").GetString(),
            code = Identity.AuthenticatorApp.CodeNow(offer.GetProperty("secret").GetString()!),
            password = "velvet-Anchor-6-harbour",
        }, Cancel);
        answer.StatusCode.ShouldBe(HttpStatusCode.OK, await answer.Text());
        return [.. (await answer.Json()).GetProperty("recoveryCodes").EnumerateArray().Select(it => it.GetString()!)];
    }
}

/// <summary>Chromium, with axe in it.</summary>
public sealed class PageBrowser() : NodeFolder("the browser", "node-pages/", "pages.mjs")
{
    /// <summary>Half a minute where nothing else runs.</summary>
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(5);

    private static readonly string[] Names = ["chromium", "chromium-browser", "google-chrome"];

    private static readonly string? Chromium = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries)
        .SelectMany(folder => Names.Select(name => Path.Combine(folder, name))).FirstOrDefault(File.Exists);

    public new string? Missing => Chromium is null ? "No Chromium is on the PATH; the pages can't be looked at." : base.Missing;

    /// <remarks><c>CAVECOMM_TEST_SHOTS</c> names a folder that gets a picture of each page.</remarks>
    internal Task<(int Code, string Said)?> Judge(Uri office, string plan) => Run("node", ["pages.mjs"], new()
    {
        ["OFFICE_URL"] = office.GetLeftPart(UriPartial.Authority),
        ["CHROMIUM"] = Chromium!,
        ["PLAN"] = plan,
        ["SHOTS"] = Environment.GetEnvironmentVariable("CAVECOMM_TEST_SHOTS") ?? "",
    }, Limit);
}
