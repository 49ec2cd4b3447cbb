using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Net.Sockets;
using System.Text.Json.Nodes;
using CaveComm.Api;
using CaveComm.Sandbox;
using Microsoft.AspNetCore.Builder;
using Npgsql;

namespace CaveComm.Benchmarks.Http;

/// <summary>The whole product with its look-alikes, in this process, on a database of its own.</summary>
internal sealed class OfficeUnderLoad : IAsyncDisposable
{
    public const string Handle = "mira";
    private const string Password = "benchmark-Horse-7-battery";

    private readonly string folder;
    private readonly BenchmarkDatabase database;
    private readonly SandboxHost sandbox;
    private readonly WebApplication product;

    private readonly NpgsqlDataSource plain;

    private OfficeUnderLoad(string folder, BenchmarkDatabase database, SandboxHost sandbox, WebApplication product, NpgsqlDataSource plain, Uri url)
    {
        (this.folder, this.database, this.sandbox, this.product, this.plain, Url) = (folder, database, sandbox, product, plain, url);
    }

    public Uri Url { get; }

    /// <summary>What Stripe signs with.</summary>
    public string WebhookSecret => sandbox.StripeWebhookSecret;

    /// <param name="more">Adds endpoints to compare with, which get a pool of connections to the same database.</param>
    public static async Task<OfficeUnderLoad> Start(BenchmarkServer server, CancellationToken cancel, Action<WebApplication, NpgsqlDataSource>? more = null)
    {
        var folder = Directory.CreateTempSubdirectory("cavecomm-bench-").FullName;
        var database = await server.NewDatabase(cancel);
        var sandbox = await SandboxHost.Start(new SandboxOptions { DataFolder = folder }, cancel);
        var url = new Uri($"http://127.0.0.1:{FreePort()}/");
        var product = ProductHost.Build(new Dictionary<string, string?>
        {
            ["urls"] = url.GetLeftPart(UriPartial.Authority),
            ["ConnectionStrings:CaveComm"] = database.ConnectionString,
            ["CaveComm:PublicUrl"] = url.AbsoluteUri,
            ["CaveComm:DataPath"] = folder,
            ["CaveComm:Sandbox"] = "true",
            ["CaveComm:DemoAccounts:freelancer:Handle"] = Handle,
            ["CaveComm:DemoAccounts:freelancer:Password"] = Password,
            ["Storage:Path"] = Path.Combine(folder, "files"),
            ["Stripe:ApiKey"] = sandbox.StripeApiKey,
            ["Stripe:ApiBase"] = sandbox.StripeUrl.AbsoluteUri,
            ["Stripe:WebhookSecrets"] = sandbox.StripeWebhookSecret,
            ["Smtp:Host"] = sandbox.SmtpHost,
            ["Smtp:Port"] = $"{sandbox.SmtpPort}",
            ["Smtp:Security"] = "None",
            ["Smtp:From"] = "office@cavecomm.example",
            ["BTCPay:Enabled"] = "false",
            ["Logging:LogLevel:Default"] = "Error",
        });
        var plain = NpgsqlDataSource.Create(database.ConnectionString);
        more?.Invoke(product, plain);
        await product.StartAsync(cancel);
        return new OfficeUnderLoad(folder, database, sandbox, product, plain, url);
    }

    public HttpClient Client(string? bearer = null)
    {
        var client = new HttpClient(new SocketsHttpHandler { UseCookies = false, AllowAutoRedirect = false }) { BaseAddress = Url };
        client.DefaultRequestHeaders.Accept.Add(new MediaTypeWithQualityHeaderValue("application/json"));
        client.DefaultRequestHeaders.Authorization = bearer is null ? null : new AuthenticationHeaderValue("Bearer", bearer);
        return client;
    }

    public async Task<string> SignIn(CancellationToken cancel)
    {
        using var client = Client();
        using var answer = await client.PostAsJsonAsync("freelancer/login", new { username = Handle, password = Password }, cancel);
        answer.EnsureSuccessStatusCode();
        return (string)(await answer.Content.ReadFromJsonAsync<JsonObject>(cancel))!["access_token"]!;
    }

    /// <summary>A template that customers can ask for, and the address to ask at.</summary>
    public async Task<string> Publish(string name, CancellationToken cancel)
    {
        using var client = Client(await SignIn(cancel));
        using var answer = await client.PutAsJsonAsync($"freelancer/{Handle}/templates/{name}", new
        {
            title = "Portrait",
            description = "One figure, full colour.",
            price = new { amount = "120.00", currency = "EUR" },
            paymentTerms = "upFront",
            providers = new[] { "stripe" },
            questions = new object[] { new { id = "subject", label = "Who or what?", kind = "text", required = true } },
        }, cancel);
        answer.EnsureSuccessStatusCode();
        return $"customer/{Handle}/template/{name}/request";
    }

    public static async Task Ask(HttpClient client, string address, string email)
    {
        using var answer = await client.PostAsJsonAsync(address, new
        {
            customer = new { name = "Ada Lovelace", email },
            answers = new Dictionary<string, string> { ["subject"] = "A raven" },
            provider = "stripe",
        });
        answer.EnsureSuccessStatusCode();
    }

    /// <summary>A connection for the plain way: held, never reset.</summary>
    public async Task<NpgsqlConnection> Open(CancellationToken cancel)
    {
        var connection = new NpgsqlConnection(new NpgsqlConnectionStringBuilder(database.ConnectionString) { Pooling = false }.ConnectionString);
        await connection.OpenAsync(cancel);
        return connection;
    }

    public async ValueTask DisposeAsync()
    {
        await product.StopAsync();
        await product.DisposeAsync();
        await plain.DisposeAsync();
        await sandbox.DisposeAsync();
        await database.DisposeAsync();
        Directory.Delete(folder, recursive: true);
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
