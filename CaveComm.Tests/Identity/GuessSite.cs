using System.Globalization;
using System.Net;
using System.Text.Json;
using CaveComm.Api.Identity;
using CaveComm.Domain;
using CaveComm.Domain.Identity;
using CaveComm.EventStore;
using CaveComm.Tests.Http;
using CaveComm.Tests.Providers;
using Microsoft.Extensions.DependencyInjection;

namespace CaveComm.Tests.Identity;

/// <summary>Sign-in as guessers find it: behind a trusted proxy, so that a test can come from any address, with a clock that stands still and a cheap hash.</summary>
public sealed class GuessSite : IAsyncLifetime
{
    private readonly ManualClock clock = new();
    private int addresses;
    private int people;

    public GuessSite()
    {
        // Cookies carry dates that the client compares with its own clock.
        clock.Advance(TimeProvider.System.GetUtcNow() - ManualClock.Noon);
        Inner = new IdentitySite { Clock = clock, HashIterations = 100 };
        Inner.Extra["CaveComm:TrustedProxies"] = "127.0.0.1";
    }

    internal IdentitySite Inner { get; }

    internal TestSite Site => Inner.Site;

    internal ManualClock Time => clock;

    internal IServiceProvider Services => Site.App.Services;

    public ValueTask InitializeAsync() => Inner.InitializeAsync();

    public ValueTask DisposeAsync() => Inner.DisposeAsync();

    /// <summary>An address that nobody has come from yet.</summary>
    public string NewAddress()
    {
        var number = Interlocked.Increment(ref addresses);
        return string.Create(CultureInfo.InvariantCulture, $"10.{number >> 16}.{(number >> 8) & 255}.{number & 255}");
    }

    /// <summary>Somebody with an account and the usual password.</summary>
    internal async Task<(string Username, Guid Account)> NewPerson()
    {
        var username = string.Create(CultureInfo.InvariantCulture, $"person-{Interlocked.Increment(ref people)}");
        var registered = await Services.GetRequiredService<AccountHandling>().Register(
            new Registration(username, username, username, null, IdentitySite.Password, Role.Admin, "test"), TestContext.Current.CancellationToken);
        return (username, registered.AccountId);
    }

    /// <summary>What the log calls an address.</summary>
    internal string OriginOf(string address) => Services.GetRequiredService<Origins>().Of(IPAddress.Parse(address));

    /// <summary>What the log says of an address, in order; over the midnight that the clock may have passed, too.</summary>
    internal async Task<IReadOnlyList<SignInEvent>> ToldOf(string address)
    {
        await using var session = Services.GetRequiredService<IDocumentStore>().QuerySession();
        var today = DateOnly.FromDateTime(Time.GetUtcNow().UtcDateTime);
        var told = new List<SignInEvent>();
        foreach (var day in new[] { today.AddDays(-1), today })
        {
            var stream = StreamKey.SignIns(day, OriginOf(address));
            told.AddRange((await session.Events.FetchStreamAsync(stream, token: TestContext.Current.CancellationToken)).Select(it => (SignInEvent)it.Data));
        }

        return told;
    }

    internal Task<HttpResponseMessage> SignIn(string address, string username, string password, string? code = null) => Site.Send(
        HttpMethod.Post,
        "/freelancer/login",
        TestSite.JsonBody(JsonSerializer.Serialize(new { username, password, code })),
        headers: [("X-Forwarded-For", address)]);

    /// <summary>A browser at an address.</summary>
    internal HttpClient NewBrowser(string address, CookieContainer? cookies = null)
    {
        var browser = Site.NewClient(cookies ?? new CookieContainer());
        browser.DefaultRequestHeaders.Add("Accept", IdentitySite.Browser);
        browser.DefaultRequestHeaders.Add("X-Forwarded-For", address);
        return browser;
    }
}
