using System.Net;
using System.Text.RegularExpressions;
using CaveComm.Tests.Http;
using Shouldly;

namespace CaveComm.Tests.Flow;

/// <summary>What every page tells the browser about itself, over https.</summary>
[Collection(nameof(AccessCallers))]
public sealed partial class PageHeaderTests(AccessCallers callers)
{
    private const int Pages = 60;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Every_page_runs_no_script_stands_in_no_frame_and_tells_no_other_site()
    {
        var customer = callers.All.Single(it => it.Name == "customer");
        var owner = callers.All.Single(it => it.Name == "owner");
        var shown = 0;
        foreach (var (caller, cookies) in new[]
        {
            (customer, ""),
            (owner, await SignIn(Office.Mira)),
            (owner, await SignIn(Office.Vera)),
            (owner with { Places = callers.OfKeeper }, await SignIn(callers.Keeper)),
        })
        {
            foreach (var path in AccessRow.Read().Where(it => it.Method == "GET").Select(caller.PathOf).Append("nowhere/at/all"))
            {
                using var answer = await Send(HttpMethod.Get, path, cookies);
                Check(answer, path);
                if (answer.Content.Headers.ContentType?.MediaType == "text/html")
                {
                    var page = await answer.Text();
                    Loud().IsMatch(page).ShouldBeFalse($"{path} has a script or a style of its own: {Loud().Match(page).Value}");
                    shown += answer.StatusCode == HttpStatusCode.OK ? 1 : 0;
                }
            }
        }

        shown.ShouldBeGreaterThan(Pages);
    }

    private static void Check(HttpResponseMessage answer, string path)
    {
        var policy = Header("Content-Security-Policy").Split(';', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
        policy.ShouldContain("default-src 'none'", path);
        policy.ShouldContain("frame-ancestors 'none'", path);
        policy.ShouldContain("base-uri 'none'", path);
        policy.ShouldNotContain(it => it.StartsWith("script-src", StringComparison.Ordinal) || it.Contains("unsafe", StringComparison.Ordinal), path);
        Header("X-Frame-Options").ShouldBe("DENY", path);
        Header("X-Content-Type-Options").ShouldBe("nosniff", path);
        Header("Referrer-Policy").ShouldBe("same-origin", path);
        Header("Cross-Origin-Opener-Policy").ShouldBe("same-origin", path);
        Header("Strict-Transport-Security").ShouldBe("max-age=31536000", path);
        answer.Headers.Contains("Server").ShouldBeFalse(path);
        Cookies(answer);

        string Header(string name) => answer.Headers.TryGetValues(name, out var values) ? values.ShouldHaveSingleItem($"{name} of {path}") : throw new ShouldAssertException($"{path} has no {name}");
    }

    /// <returns>The cookies, as a browser sends them back.</returns>
    private static IReadOnlyList<string> Cookies(HttpResponseMessage answer)
    {
        var all = answer.Headers.TryGetValues("Set-Cookie", out var set) ? set.ToList() : [];
        foreach (var cookie in all)
        {
            var parts = cookie.Split(';', StringSplitOptions.TrimEntries);
            parts[0].ShouldStartWith("__Host-cavecomm-");
            foreach (var word in new[] { "secure", "httponly", "samesite=lax", "path=/" })
            {
                parts.ShouldContain(it => it.Equals(word, StringComparison.OrdinalIgnoreCase), cookie);
            }

            parts.ShouldNotContain(it => it.StartsWith("domain", StringComparison.OrdinalIgnoreCase), cookie);
        }

        return [.. all.Select(it => it.Split(';')[0])];
    }

    /// <summary>Signs in by the form. A browser would send no secure cookie to this address, so cookies are carried by hand.</summary>
    private async Task<string> SignIn((string Handle, string Password) person)
    {
        using var form = await Send(HttpMethod.Get, "freelancer/login", "");
        var token = WebUtility.HtmlDecode(FormToken().Match(await form.Text()).Groups[1].Value);
        using var body = TestSite.FormBody(("__RequestVerificationToken", token), ("username", person.Handle), ("password", person.Password));
        using var answer = await Send(HttpMethod.Post, "freelancer/login", string.Join("; ", Cookies(form)), body);
        answer.StatusCode.ShouldBe(HttpStatusCode.SeeOther, await answer.Text());
        var cookies = Cookies(answer);
        cookies.ShouldContain(it => it.StartsWith("__Host-cavecomm-session=", StringComparison.Ordinal));
        return string.Join("; ", cookies);
    }

    private Task<HttpResponseMessage> Send(HttpMethod method, string path, string cookies, HttpContent? content = null)
    {
        var request = new HttpRequestMessage(method, path) { Content = content };
        request.Headers.Accept.Clear();
        request.Headers.TryAddWithoutValidation("Accept", "text/html");
        request.Headers.Add("X-Forwarded-Proto", "https");
        request.Headers.Add("X-Forwarded-For", "10.8.0.1");
        if (cookies.Length > 0)
        {
            request.Headers.Add("Cookie", cookies);
        }

        return callers.Office.Anonymous.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, Cancel);
    }

    /// <summary>What the policy would stop: a script, a style sheet in the page, a style or a handler at an element.</summary>
    [GeneratedRegex(@"<(script|style)\b|<[a-z][^<>]*\s(style|on[a-z]+)\s*=|javascript:", RegexOptions.IgnoreCase)]
    private static partial Regex Loud();

    [GeneratedRegex("name=\"__RequestVerificationToken\" value=\"([^\"]+)\"")]
    private static partial Regex FormToken();
}
