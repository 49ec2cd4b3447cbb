using System.Net;
using System.Net.Http.Headers;
using System.Text.RegularExpressions;
using CaveComm.Api;
using CaveComm.Api.Composition;
using CaveComm.Api.Http;
using CaveComm.Api.Http.Idempotency;
using CaveComm.Api.Identity;
using CaveComm.Domain.Freelancers;
using CaveComm.EventStore;
using CaveComm.Projections;
using CaveComm.Tests.Http;
using CaveComm.Tests.OAuth;
using CaveComm.Tests.Support;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Identity;
using Microsoft.Extensions.DependencyInjection;

namespace CaveComm.Tests.Identity;

/// <summary>Sign-in over real PostgreSQL, with a few endpoints to guard.</summary>
public sealed partial class IdentitySite : IAsyncLifetime
{
    public const string Browser = "text/html,application/xhtml+xml,*/*;q=0.8";
    public const string Password = "correct-Horse-7-battery";

    private readonly Prepared prepared = new();
    private TestDatabase database = null!;

    internal TestSite Site { get; private set; } = null!;

    /// <summary>Settings beside the usual ones, for a site of one test's own.</summary>
    public Dictionary<string, string?> Extra { get; } = [];

    public TimeProvider Clock { get; init; } = TimeProvider.System;

    /// <summary>Fewer than the product's, for tests that try thousands of passwords.</summary>
    public int? HashIterations { get; init; }

    public IReadOnlyList<string> PreparedHandles => prepared.Handles;

    public async ValueTask InitializeAsync()
    {
        database = await TestDatabase.Create();
        var settings = new Dictionary<string, string?> { ["CaveComm:Sandbox"] = "true", ["CaveComm:PublicUrl"] = "http://127.0.0.1/" };
        foreach (var (name, value) in OAuthTalk.Clients)
        {
            settings[name] = value;
        }

        foreach (var (role, handle) in new[] { ("freelancer", "mira"), ("second", "jonas"), ("admin", "ada"), ("auditor", "otto") })
        {
            settings[$"CaveComm:DemoAccounts:{role}:Handle"] = handle;
            settings[$"CaveComm:DemoAccounts:{role}:Username"] = handle;
            settings[$"CaveComm:DemoAccounts:{role}:Password"] = Password;
        }

        foreach (var (key, value) in Extra)
        {
            settings[key] = value;
        }

        Site = await TestSite.Start(Map, Add, settings);
    }

    public async ValueTask DisposeAsync()
    {
        await Site.DisposeAsync();
        await database.DisposeAsync();
    }

    /// <summary>Signs in as a program and sends the token from then on.</summary>
    public async Task<HttpClient> Program(string username, string password = Password)
    {
        var answer = await (await Site.Send(HttpMethod.Post, "/freelancer/login", TestSite.JsonBody($$"""{"username":"{{username}}","password":"{{password}}"}"""))).Json();
        var client = Site.NewClient();
        client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", answer.GetProperty("access_token").GetString());
        return client;
    }

    /// <summary>Registers an OAuth client as the administrator.</summary>
    internal async Task<(string Id, string? Secret)> Admin(string name, object client)
    {
        using var admin = await Program("ada");
        var body = System.Text.Json.JsonSerializer.SerializeToNode(client)!.AsObject();
        body["name"] = name;
        using var answer = await admin.PostAsync(new Uri("/admin/oauth/clients", UriKind.Relative), TestSite.JsonBody(body.ToJsonString()), TestContext.Current.CancellationToken);
        var told = await answer.Json();
        return (told.GetProperty("client_id").GetString()!, told.GetProperty("client_secret").GetString());
    }

    /// <summary>A browser that has nobody signed in: it keeps cookies and asks for pages.</summary>
    internal HttpClient NewBrowser()
    {
        var browser = Site.NewClient(new CookieContainer());
        browser.DefaultRequestHeaders.Add("Accept", Browser);
        return browser;
    }

    internal async Task<HttpClient> SignedInBrowser(string username)
    {
        var browser = NewBrowser();
        await Submit(browser, "/freelancer/login", ("username", username), ("password", Password));
        return browser;
    }

    /// <summary>Opens the form's page, takes its token and sends the fields with it.</summary>
    internal static async Task<HttpResponseMessage> Submit(HttpClient browser, string path, params (string Name, string Value)[] fields)
    {
        var token = await Token(browser, path);
        return await browser.PostAsync(new Uri(path, UriKind.Relative), TestSite.FormBody([("__RequestVerificationToken", token), .. fields]), TestContext.Current.CancellationToken);
    }

    internal static async Task<string> Token(HttpClient browser, string path) =>
        WebUtility.HtmlDecode(TokenField().Match(await browser.GetStringAsync(new Uri(path, UriKind.Relative), TestContext.Current.CancellationToken)).Groups[1].Value);

    private static void Map(WebApplication app)
    {
        app.MapCaveCommIdentity();
        app.MapGet("/freelancer/{freelancer}/inbox", (string freelancer, HttpContext http) => http.Caller()!.Handle).RequireFreelancer();
        app.MapPost("/freelancer/{freelancer}/act", async (string freelancer, HttpContext http, CancellationToken cancel) =>
        {
            var reading = await http.ReadBody<ActBody>(cancel);
            return reading.IsValid(out var body, out var problem) ? http.Done("/done", TypedResults.Json(body)) : (IResult)problem;
        }).RequireFreelancer();
        app.MapPost("/freelancer/{freelancer}/upload", async (string freelancer, HttpContext http, CancellationToken cancel) =>
        {
            var (upload, problem) = await MultipartUpload.Open(http, 1 << 24, cancel);
            var names = new List<string>();
            await foreach (var part in upload?.Parts(cancel) ?? AsyncEnumerable.Empty<UploadPart>())
            {
                names.Add(part.Name);
            }

            return problem ?? (IResult)TypedResults.Json(names);
        }).RequireFreelancer().StreamsUpload();
        app.MapGet("/admin/things", () => "secret").RequireRole("admin");
        app.MapGet("/audit/things", () => "story").RequireRole("admin", "auditor");
        app.MapPost("/open-to-all", () => TypedResults.NoContent());
    }

    private void Add(IServiceCollection services)
    {
        services.AddSingleton(Clock);
        services.AddSingleton<Links>();
        if (HashIterations is { } iterations)
        {
            services.Configure<PasswordHasherOptions>(options => options.IterationCount = iterations);
        }

        services.AddOptions<CaveCommOptions>().BindConfiguration("CaveComm");
        services.AddCaveCommIdentity();
        services.AddSingleton<IDemoSetup>(prepared);
        services.AddEventStore(options =>
        {
            options.Connection(database.ConnectionString);
            EventAliases.MapAll(options.Events.MapEventType);
            IdentityStorage.Configure(options);
            options.Projections.Add(new DeciderProjection<Freelancer, FreelancerEvent>(), ProjectionLifecycle.Live);
        });
        services.AddKeyedWrites<HeldWrites>();
    }

    [GeneratedRegex("name=\"__RequestVerificationToken\" value=\"([^\"]+)\"")]
    private static partial Regex TokenField();

    public sealed record ActBody(string? Reason = null);

    private sealed class Prepared : IDemoSetup
    {
        public List<string> Handles { get; } = [];

        public Task Prepare(string handle, CancellationToken cancel)
        {
            Handles.Add(handle);
            return Task.CompletedTask;
        }
    }
}
