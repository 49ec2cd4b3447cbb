using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Net.Sockets;
using System.Text.Json.Nodes;
using CaveComm.Api;
using CaveComm.Api.Freelancers;
using CaveComm.EventStore;
using CaveComm.Messaging;
using CaveComm.Sandbox;
using CaveComm.Tests.Support;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;

namespace CaveComm.Tests.Flow;

/// <summary>The whole product on real PostgreSQL, with the look-alikes beside it, spoken to over HTTP as its users do.</summary>
public sealed class Office : IAsyncLifetime
{
    public static readonly (string Handle, string Password) Mira = ("mira", "correct-Horse-7-battery");
    public static readonly (string Handle, string Password) Jonas = ("jonas", "staple-Lamp-9-orchard");

    public static readonly (string Handle, string Password) Vera = ("vera", "marble-Kettle-5-willow");

    public static readonly (string Handle, string Password) Otto = ("otto", "copper-Meadow-3-lantern");

    private readonly string folder = Directory.CreateTempSubdirectory("cavecomm-office-").FullName;
    private TestDatabase database = null!;
    private WebApplication product = null!;

    /// <summary>Settings beside the usual ones, for an office of one test's own.</summary>
    public Dictionary<string, string?> Extra { get; } = [];

    /// <summary>What is done to the product between building and starting it.</summary>
    public Action<IServiceProvider> BeforeStart { get; set; } = _ => { };

    /// <summary>Whether its own people sign in with passwords here; where they do not, they have no clients.</summary>
    public bool HasPeople { get; init; } = true;

    public Uri Url { get; private set; } = null!;

    public SandboxHost Sandbox { get; private set; } = null!;

    /// <summary>Where the product keeps its keys, and what it has to remember beside the database.</summary>
    public string Folder => folder;

    public string Storage => Path.Combine(folder, "files");

    public IDocumentStore Store => product.Services.GetRequiredService<IDocumentStore>();

    public TestDatabase Database => database;

    public IServiceProvider Services => product.Services;

    public IMessageStore Messages => product.Services.GetRequiredService<IMessageStore>();

    /// <summary>Nobody in particular, asking for JSON.</summary>
    public HttpClient Anonymous { get; private set; } = null!;

    public HttpClient Freelancer { get; private set; } = null!;

    public HttpClient Second { get; private set; } = null!;

    public HttpClient Admin { get; private set; } = null!;

    public HttpClient Auditor { get; private set; } = null!;

    public async ValueTask InitializeAsync()
    {
        database = await TestDatabase.Create();
        Sandbox = await SandboxHost.Start(new SandboxOptions { DataFolder = folder }, CancellationToken.None);
        Sandbox.SeedConnectedAccount(DemoShop.StripeAccount(Mira.Handle), "mira@cavecomm.example");
        Sandbox.SeedConnectedAccount(DemoShop.StripeAccount(Jonas.Handle), "jonas@cavecomm.example");
        Url = new Uri($"http://127.0.0.1:{FreePort()}/");
        await Sandbox.SetProductUrl(Url);
        product = ProductHost.Build(Settings());
        BeforeStart(product.Services);
        await product.StartAsync();
        Anonymous = Client(null);
        if (!HasPeople)
        {
            return;
        }

        Freelancer = Client(await SignIn(Mira));
        Second = Client(await SignIn(Jonas));
        Admin = Client(await SignIn(Vera));
        Auditor = Client(await SignIn(Otto));
    }

    public async ValueTask DisposeAsync()
    {
        Anonymous?.Dispose();
        Freelancer?.Dispose();
        Second?.Dispose();
        Admin?.Dispose();
        Auditor?.Dispose();
        if (product is not null)
        {
            await product.StopAsync();
            await product.DisposeAsync();
        }

        if (Sandbox is not null)
        {
            await Sandbox.DisposeAsync();
        }

        if (database is not null)
        {
            await database.DisposeAsync();
        }

        Directory.Delete(folder, recursive: true);
    }

    public HttpClient Client(string? bearer, string accept = "application/json")
    {
        var client = new HttpClient(new SocketsHttpHandler { AllowAutoRedirect = false, UseCookies = false }) { BaseAddress = Url };
        client.DefaultRequestHeaders.Accept.Add(new MediaTypeWithQualityHeaderValue(accept));
        if (bearer is not null)
        {
            client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", bearer);
        }

        return client;
    }

    public async Task<string> SignIn((string Handle, string Password) who)
    {
        using var client = Client(null);
        using var answer = await client.PostAsJsonAsync("freelancer/login", new { username = who.Handle, password = who.Password });
        var body = await answer.Content.ReadFromJsonAsync<JsonObject>();
        return answer.StatusCode == HttpStatusCode.OK ? (string)body!["access_token"]! : throw new InvalidOperationException($"{who.Handle} could not sign in: {body}");
    }

    /// <summary>What lies in the mailbox for an address, newest first.</summary>
    public async Task<IReadOnlyList<JsonObject>> Mails(string to)
    {
        using var client = new HttpClient();
        var mails = await client.GetFromJsonAsync<JsonArray>(new Uri(Sandbox.MailUrl, "messages"));
        return [.. mails!.Select(m => m!.AsObject()).Where(m => ((string)m["to"]!).Contains(to, StringComparison.OrdinalIgnoreCase))];
    }

    /// <summary>Waits for a mail with this in its subject.</summary>
    public async Task<JsonObject> Mail(string to, string subject)
    {
        JsonObject? found = null;
        await Eventually.Holds(
            $"{to} gets a mail about \u201c{subject}\u201d",
            async () => (found = (await Mails(to)).FirstOrDefault(m => ((string)m["subject"]!).Contains(subject, StringComparison.Ordinal))) is not null);
        return found!;
    }

    /// <summary>Sets switches of a look-alike.</summary>
    public async Task Control(Uri lookalike, object switches)
    {
        using var answer = await Anonymous.PostAsJsonAsync(new Uri(lookalike, "_control"), switches);
        answer.EnsureSuccessStatusCode();
    }

    /// <summary>What Stripe's look-alike has on record, newest first; at most a hundred.</summary>
    public async Task<IReadOnlyList<JsonNode>> StripeRecords(string kind)
    {
        using var client = new HttpClient { DefaultRequestHeaders = { Authorization = new("Bearer", Sandbox.StripeApiKey) } };
        return [.. (await client.GetFromJsonAsync<JsonNode>(new Uri(Sandbox.StripeUrl, $"v1/{kind}?limit=100")))!["data"]!.AsArray().Select(it => it!)];
    }

    public async Task<IReadOnlyList<JsonNode>> BtcPayRecords(string kind)
    {
        using var client = new HttpClient { DefaultRequestHeaders = { Authorization = new("token", Sandbox.BtcPayApiKey) } };
        return [.. (await client.GetFromJsonAsync<JsonArray>(new Uri(Sandbox.BtcPayUrl, $"api/v1/stores/{Sandbox.BtcPayStoreId}/{kind}")))!.Select(it => it!)];
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    private Dictionary<string, string?> Settings()
    {
        var settings = new Dictionary<string, string?>
        {
            ["urls"] = Url.GetLeftPart(UriPartial.Authority),
            ["ConnectionStrings:CaveComm"] = database.ConnectionString,
            ["CaveComm:PublicUrl"] = Url.AbsoluteUri,
            ["CaveComm:DataPath"] = folder,
            ["CaveComm:Sandbox"] = "true",
            ["CaveComm:PlatformFeeBasisPoints"] = "500",
            ["Storage:Path"] = Storage,
            ["Stripe:ApiKey"] = Sandbox.StripeApiKey,
            ["Stripe:ApiBase"] = Sandbox.StripeUrl.AbsoluteUri,
            ["Stripe:WebhookSecrets"] = Sandbox.StripeWebhookSecret,
            ["BTCPay:Url"] = Sandbox.BtcPayUrl.AbsoluteUri,
            ["BTCPay:ApiKey"] = Sandbox.BtcPayApiKey,
            ["BTCPay:StoreId"] = Sandbox.BtcPayStoreId,
            ["BTCPay:WebhookSecrets"] = Sandbox.BtcPayWebhookSecret,
            ["Smtp:Host"] = Sandbox.SmtpHost,
            ["Smtp:Port"] = $"{Sandbox.SmtpPort}",
            ["Smtp:From"] = "CaveComm <office@cavecomm.example>",
            ["Logging:LogLevel:Default"] = "Warning",
        };
        foreach (var (role, (handle, password)) in new[] { ("freelancer", Mira), ("second", Jonas), ("admin", Vera), ("auditor", Otto) })
        {
            settings[$"CaveComm:DemoAccounts:{role}:Handle"] = handle;
            settings[$"CaveComm:DemoAccounts:{role}:Username"] = handle;
            settings[$"CaveComm:DemoAccounts:{role}:Password"] = password;
        }

        foreach (var (key, value) in Extra)
        {
            settings[key] = value;
        }

        return settings;
    }
}
