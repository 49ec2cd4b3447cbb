using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Shouldly;

namespace CaveComm.Tests.Http;

public sealed class CookieTests
{
    [Fact]
    public async Task Over_https_our_cookies_are_bound_to_the_host()
    {
        await using var site = await Start("127.0.0.0/8");
        var set = await site.Send(HttpMethod.Get, "/set", headers: ("X-Forwarded-Proto", "https"));
        var cookies = set.Headers.GetValues("Set-Cookie").ToList();
        cookies.ShouldContain(it => it.StartsWith("__Host-cavecomm-position=7;", StringComparison.Ordinal) && it.Contains("secure", StringComparison.OrdinalIgnoreCase)
            && it.Contains("path=/", StringComparison.OrdinalIgnoreCase) && !it.Contains("domain", StringComparison.OrdinalIgnoreCase));
        cookies.ShouldContain(it => it.StartsWith("other=1", StringComparison.Ordinal));
        set.Headers.Contains("Strict-Transport-Security").ShouldBeTrue();

        (await Seen("__Host-cavecomm-position=7; other=1", "https")).ShouldBe("7 1");
        (await Seen("cavecomm-position=666; other=1", "https")).ShouldBe(" 1", "Somebody on plain http, or another host, could have set that name.");

        async Task<string> Seen(string cookie, string scheme) =>
            await (await site.Send(HttpMethod.Get, "/seen", headers: [("X-Forwarded-Proto", scheme), ("Cookie", cookie)])).Text();
    }

    [Fact]
    public async Task Over_http_they_have_plain_names()
    {
        await using var site = await Start(null);
        var set = await site.Send(HttpMethod.Get, "/set");
        set.Headers.GetValues("Set-Cookie").ShouldContain(it => it.StartsWith("cavecomm-position=7;", StringComparison.Ordinal) && !it.Contains("secure", StringComparison.OrdinalIgnoreCase));
        set.Headers.Contains("Strict-Transport-Security").ShouldBeFalse();
    }

    [Fact]
    public async Task A_proxy_that_nobody_trusts_is_not_believed()
    {
        await using var site = await Start(null);
        (await (await site.Send(HttpMethod.Get, "/origin", headers: [("X-Forwarded-Proto", "https"), ("X-Forwarded-For", "203.0.113.9")])).Text()).ShouldBe("http 127.0.0.1");
    }

    [Fact]
    public async Task A_trusted_proxy_says_where_the_request_came_from()
    {
        await using var site = await Start("10.0.0.1, 127.0.0.1");
        (await (await site.Send(HttpMethod.Get, "/origin", headers: [("X-Forwarded-Proto", "https"), ("X-Forwarded-For", "198.51.100.1, 203.0.113.9")])).Text())
            .ShouldBe("https 203.0.113.9", "What stands left of the last untrusted address may be made up.");
    }

    private static Task<TestSite> Start(string? trusted) => TestSite.Start(
        app =>
        {
            app.MapGet("/set", (HttpContext http) =>
            {
                http.Response.Cookies.Append("cavecomm-position", "7", new CookieOptions { Path = "/" });
                http.Response.Cookies.Append("other", "1");
            });
            app.MapGet("/seen", (HttpContext http) => $"{http.Request.Cookies["cavecomm-position"]} {http.Request.Cookies["other"]}");
            app.MapGet("/origin", (HttpContext http) => $"{http.Request.Scheme} {http.Connection.RemoteIpAddress!.MapToIPv4()}");
        },
        settings: new() { ["CaveComm:TrustedProxies"] = trusted });
}
