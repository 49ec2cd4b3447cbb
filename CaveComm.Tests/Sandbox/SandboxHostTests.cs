using System.Diagnostics;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Net.Mail;
using System.Text.Json.Nodes;
using CaveComm.Sandbox;
using CaveComm.Tests.Support;
using Shouldly;

namespace CaveComm.Tests.Sandbox;

public sealed class SandboxHostTests : IDisposable
{
    private readonly TestFolder data = new();
    private readonly HttpClient http = new();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public void Dispose()
    {
        http.Dispose();
        data.Dispose();
    }

    [Fact]
    public async Task All_of_them_start_and_stop_within_two_seconds_and_say_where_they_are()
    {
        var host = await Start();
        (await http.GetAsync(host.StripeUrl, Cancel)).StatusCode.ShouldBe(HttpStatusCode.OK);
        (await http.GetAsync(new Uri(host.BtcPayUrl, "api/v1/health"), Cancel)).StatusCode.ShouldBe(HttpStatusCode.OK);
        (await http.GetAsync(host.MailUrl, Cancel)).StatusCode.ShouldBe(HttpStatusCode.OK);
        var told = JsonNode.Parse(await File.ReadAllTextAsync(data["sandbox.json"], Cancel))!;
        ((string?)told["btcPayUrl"], (int)told["smtpPort"]!).ShouldBe((host.BtcPayUrl.AbsoluteUri.TrimEnd('/'), host.SmtpPort));
        ((string?)told["stripeApiKey"]).ShouldBe(host.StripeApiKey);
        if (!OperatingSystem.IsWindows())
        {
            File.GetUnixFileMode(data["sandbox/settings.json"]).ShouldBe(UnixFileMode.UserRead | UnixFileMode.UserWrite);
            File.GetUnixFileMode(data["sandbox.json"]).ShouldBe(UnixFileMode.UserRead | UnixFileMode.UserWrite);
        }

        var watch = Stopwatch.StartNew();
        await host.DisposeAsync();
        watch.Elapsed.ShouldBeLessThan(TimeSpan.FromSeconds(2));
        File.Exists(data["sandbox.json"]).ShouldBeFalse();
        await Should.ThrowAsync<HttpRequestException>(() => http.GetAsync(new Uri($"{told["btcPayUrl"]}/api/v1/health"), Cancel));
    }

    [Fact]
    public async Task A_call_that_hangs_does_not_hold_up_the_end()
    {
        var host = await Start();
        Authenticate(host);
        (await http.PostAsJsonAsync(new Uri(host.BtcPayUrl, "_control"), new { timeoutEvery = 1 }, Cancel)).EnsureSuccessStatusCode();
        var hanging = http.PostAsJsonAsync(Invoices(host), new { amount = "1.00", currency = "EUR" }, Cancel);
        await Eventually.Holds("the invoice is made", async () => (await http.GetFromJsonAsync<JsonArray>(Invoices(host), Cancel))!.Count == 1);
        var watch = Stopwatch.StartNew();
        await host.DisposeAsync();
        watch.Elapsed.ShouldBeLessThan(TimeSpan.FromSeconds(2));
        await Should.ThrowAsync<HttpRequestException>(() => hanging);
    }

    [Fact]
    public async Task One_data_folder_takes_one_sandbox()
    {
        await using var host = await Start();
        (await Should.ThrowAsync<SandboxInUseException>(Start)).Message.ShouldContain("already runs");
        (await http.GetAsync(host.MailUrl, Cancel)).StatusCode.ShouldBe(HttpStatusCode.OK);
    }

    [Fact]
    public async Task Two_data_folders_take_two()
    {
        using var other = new TestFolder();
        await using var host = await Start();
        await using var second = await SandboxHost.Start(new SandboxOptions { DataFolder = other.Path }, Cancel);
        second.BtcPayUrl.ShouldNotBe(host.BtcPayUrl);
        second.StripeApiKey.ShouldNotBe(host.StripeApiKey);
    }

    [Fact]
    public async Task A_second_start_has_the_same_addresses_keys_mails_and_waiting_webhooks()
    {
        var host = await Start();
        (Uri, string, string, Uri, string, string, string, Uri, int) before = Facts(host);
        using (var client = new SmtpClient(host.SmtpHost, host.SmtpPort))
        {
            await client.SendMailAsync(new MailMessage("office@cave.example", "ada@example.com", "Kept", "Text"), Cancel);
        }

        Authenticate(host);
        // Nobody has said yet where the product is, so this one's webhook waits.
        (await http.PostAsJsonAsync(Invoices(host), new { amount = "1.00", currency = "EUR" }, Cancel)).EnsureSuccessStatusCode();
        await host.DisposeAsync();

        await using var product = await HookReceiver.Start();
        await using var again = await Start();
        Facts(again).ShouldBe(before);
        var mails = await http.GetFromJsonAsync<JsonArray>(new Uri(again.MailUrl, "messages"), Cancel);
        ((string?)mails!.ShouldHaveSingleItem()!["subject"]).ShouldBe("Kept");
        await again.SetProductUrl(product.Root);
        (await product.Until(all => all.Count == 1))[0].Type.ShouldBe("InvoiceCreated");
    }

    [Fact]
    public async Task A_port_that_was_taken_meanwhile_is_replaced()
    {
        var host = await Start();
        var port = host.BtcPayUrl.Port;
        await host.DisposeAsync();
        await using var squatter = await HookReceiver.Start(port);
        await using var again = await Start();
        again.BtcPayUrl.Port.ShouldNotBe(port);
        again.StripeUrl.ShouldBe(new Uri($"http://127.0.0.1:{JsonNode.Parse(await File.ReadAllTextAsync(data["sandbox/settings.json"], Cancel))!["stripePort"]}"));
    }

    [Fact]
    public async Task A_connected_account_can_be_seeded_twice()
    {
        await using var host = await Start();
        host.SeedConnectedAccount("acct_1Freelancer", "ada@example.com");
        host.SeedConnectedAccount("acct_1Freelancer", "ada@example.com");
        http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", host.StripeApiKey);
        var account = await http.GetFromJsonAsync<JsonObject>(new Uri(host.StripeUrl, "v1/accounts/acct_1Freelancer"), Cancel);
        ((bool)account!["payouts_enabled"]!).ShouldBeTrue();
    }

    private static (Uri, string, string, Uri, string, string, string, Uri, int) Facts(SandboxHost it) => (
        it.StripeUrl, it.StripeApiKey, it.StripeWebhookSecret, it.BtcPayUrl, it.BtcPayApiKey, it.BtcPayStoreId, it.BtcPayWebhookSecret, it.MailUrl, it.SmtpPort);

    private static Uri Invoices(SandboxHost host) => new(host.BtcPayUrl, $"api/v1/stores/{host.BtcPayStoreId}/invoices");

    private void Authenticate(SandboxHost host) => http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("token", host.BtcPayApiKey);

    private Task<SandboxHost> Start() => SandboxHost.Start(new SandboxOptions { DataFolder = data.Path }, Cancel);
}
