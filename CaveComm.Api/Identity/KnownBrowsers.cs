using Microsoft.AspNetCore.DataProtection;

namespace CaveComm.Api.Identity;

/// <summary>
/// A browser in which somebody has signed in carries a sealed note of it. The note opens nothing; it tells the owner's browser from the
/// guessers', so that the owner does not wait in their queue.
/// </summary>
internal sealed class KnownBrowsers(IDataProtectionProvider protection, GuessLimits limits, TimeProvider clock)
{
    public const string Cookie = "cavecomm-known-browser";
    private static readonly TimeSpan Life = TimeSpan.FromDays(180);

    private readonly TimedSeal seal = new(protection, "CaveComm.KnownBrowser", clock);

    public void Remember(HttpContext http, Guid account) => http.Response.Cookies.Append(Cookie, seal.Close(Life, $"{account:N}", $"{Guid.NewGuid():N}"), new CookieOptions
    {
        HttpOnly = true,
        Secure = http.Request.IsHttps,
        SameSite = SameSiteMode.Lax,
        Path = "/",
        MaxAge = Life,
        IsEssential = true,
    });

    /// <returns>The browser's own key; null when it is not known for this account, or was wrong too often itself.</returns>
    public string? Find(HttpContext http, Guid? account) =>
        account is { } id && seal.Open(http.Request.Cookies[Cookie]) is [var owner, var browser] && owner == $"{id:N}" && limits.Browsers.Over(browser) is null ? browser : null;
}
