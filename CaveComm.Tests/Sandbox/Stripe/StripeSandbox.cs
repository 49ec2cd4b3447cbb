using System.Collections.Concurrent;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using CaveComm.Sandbox.Mail;
using CaveComm.Sandbox.Storage;
using CaveComm.Sandbox.Stripe;
using CaveComm.Sandbox.Webhooks;
using Microsoft.AspNetCore.Builder;
using Shouldly;

namespace CaveComm.Tests.Sandbox.Stripe;

/// <summary>A Stripe look-alike with a store of its own, and a client that talks to it as a gateway would.</summary>
internal sealed class StripeSandbox : IAsyncDisposable
{
    public const string Secret = "whsec_test_secret";
    public const string Key = "sk_test_sandbox_0001";

    private readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("cavecomm-stripe-");
    private SandboxStore store;
    private WebApplication app;

    private StripeSandbox()
    {
        store = null!;
        app = null!;
    }

    public HttpClient Http { get; private set; } = new();

    public ConcurrentQueue<SandboxMail> Mails { get; } = [];

    public Func<StripeServerOptions, StripeServerOptions> Options { get; private init; } = options => options;

    public static async Task<StripeSandbox> Start(Func<StripeServerOptions, StripeServerOptions>? options = null)
    {
        var sandbox = new StripeSandbox { Options = options ?? (it => it) };
        await sandbox.Open();
        return sandbox;
    }

    /// <summary>Ends the server without a word, as a kill would (the store writes each change at once), and starts another.</summary>
    public async Task Restart()
    {
        await Close();
        await Open();
    }

    public void SetWebhookUrl(Uri? url) => StripeServer.SetWebhookUrl(app, url);

    public void SeedAccount(string id) => StripeServer.SeedAccount(app, id, "art@example.com");

    /// <summary>A call that must succeed.</summary>
    public async Task<JsonObject> Post(string path, params (string Name, string Value)[] fields)
    {
        using var answer = await Send(HttpMethod.Post, path, fields);
        return await Succeeded(answer);
    }

    public async Task<JsonObject> Get(string path, string? account = null)
    {
        using var answer = await Send(HttpMethod.Get, path, account: account);
        return await Succeeded(answer);
    }

    public async Task<JsonObject> PostAs(string account, string path, params (string Name, string Value)[] fields)
    {
        using var answer = await Send(HttpMethod.Post, path, fields, account: account);
        return await Succeeded(answer);
    }

    /// <summary>A call that must be refused.</summary>
    public async Task<(HttpStatusCode Status, JsonObject Error)> Refused(string path, params (string Name, string Value)[] fields)
    {
        using var answer = await Send(HttpMethod.Post, path, fields);
        answer.IsSuccessStatusCode.ShouldBeFalse();
        return (answer.StatusCode, (await Read(answer))["error"]!.AsObject());
    }

    public async Task<HttpResponseMessage> Send(
        HttpMethod method, string path, (string Name, string Value)[]? fields = null, string? key = null, string? account = null)
    {
        using var request = new HttpRequestMessage(method, path);
        if (method == HttpMethod.Post)
        {
            request.Content = new FormUrlEncodedContent((fields ?? []).Select(it => KeyValuePair.Create(it.Name, it.Value)));
        }

        if (key is not null)
        {
            request.Headers.Add("Idempotency-Key", key);
        }

        if (account is not null)
        {
            request.Headers.Add("Stripe-Account", account);
        }

        return await Http.SendAsync(request, TestContext.Current.CancellationToken);
    }

    /// <summary>Presses a button of the hosted page.</summary>
    public Task<JsonObject> Press(JsonObject invoice, string action) => PressAt(PayPath(invoice), action);

    public async Task<JsonObject> PressAt(string page, string action)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, page)
        {
            Content = new FormUrlEncodedContent([KeyValuePair.Create("action", action)]),
        };
        request.Headers.Accept.ParseAdd("application/json");
        using var answer = await Http.SendAsync(request, TestContext.Current.CancellationToken);
        return await Succeeded(answer);
    }

    public async Task<JsonObject> Control(object asked)
    {
        using var answer = await Http.PostAsJsonAsync("/_control", asked, TestContext.Current.CancellationToken);
        return await Succeeded(answer);
    }

    public Task<JsonObject> Customer() => Post("/v1/customers", ("email", "ada@example.com"), ("name", "Ada <b>L.</b>"));

    /// <summary>An open invoice over 45.00 EUR.</summary>
    public async Task<JsonObject> OpenInvoice()
    {
        var invoice = await DraftInvoice();
        return await Post($"/v1/invoices/{invoice["id"]}/finalize", ("auto_advance", "false"));
    }

    public async Task<JsonObject> DraftInvoice()
    {
        var customer = (string)(await Customer())["id"]!;
        var invoice = await Post(
            "/v1/invoices",
            ("customer", customer),
            ("collection_method", "send_invoice"),
            ("days_until_due", "7"),
            ("currency", "eur"),
            ("auto_advance", "false"),
            ("pending_invoice_items_behavior", "exclude"),
            ("description", "Commission 42"),
            ("metadata[commission_id]", "42"),
            ("payment_settings[payment_method_types][0]", "card"));
        await Post(
            "/v1/invoiceitems",
            ("customer", customer),
            ("invoice", (string)invoice["id"]!),
            ("amount", "4500"),
            ("currency", "eur"),
            ("description", "Portrait, full colour"));
        return await Get($"/v1/invoices/{invoice["id"]}");
    }

    public static string PayPath(JsonObject invoice) => new Uri((string)invoice["hosted_invoice_url"]!).AbsolutePath;

    /// <summary>Looks again until it is so.</summary>
    public static async Task Eventually(Func<Task<bool>> isSo, string what)
    {
        using var deadline = new CancellationTokenSource(TimeSpan.FromSeconds(60)); // Only a machine that stands still for a while needs so long.
        while (!await isSo())
        {
            deadline.IsCancellationRequested.ShouldBeFalse($"Waited in vain: {what}");
            await Task.Delay(TimeSpan.FromMilliseconds(20), TestContext.Current.CancellationToken);
        }
    }

    public static Task Eventually(Func<bool> isSo, string what) => Eventually(() => Task.FromResult(isSo()), what);

    public async ValueTask DisposeAsync()
    {
        await Close();
        folder.Delete(recursive: true);
    }

    private static async Task<JsonObject> Succeeded(HttpResponseMessage answer)
    {
        var body = await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
        answer.IsSuccessStatusCode.ShouldBeTrue($"{(int)answer.StatusCode}: {body}");
        return JsonNode.Parse(body)!.AsObject();
    }

    public static async Task<JsonObject> Read(HttpResponseMessage answer) =>
        JsonNode.Parse(await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken))!.AsObject();

    private async Task Open()
    {
        store = new SandboxStore(Path.Combine(folder.FullName, "stripe.journal"));
        var options = Options(new StripeServerOptions(Key, Secret)
        {
            MailSink = (mail, _) =>
            {
                Mails.Enqueue(mail);
                return Task.CompletedTask;
            },
            PayoutTakes = TimeSpan.FromMilliseconds(40),
            WebhookSchedule = new RetrySchedule([TimeSpan.FromMilliseconds(20)], TimeSpan.FromMilliseconds(50), TimeSpan.FromMinutes(1)),
        });
        app = StripeServer.Build(store, options, TimeProvider.System);
        await app.StartAsync();
        Http = new HttpClient(new SocketsHttpHandler { AllowAutoRedirect = false }) { BaseAddress = StripeServer.Address(app) };
        Http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", Key);
        Http.DefaultRequestHeaders.Add("Stripe-Version", "2026-07-29.dahlia");
    }

    private async Task Close()
    {
        Http.Dispose();
        await app.DisposeAsync();
        store.Dispose();
    }
}
