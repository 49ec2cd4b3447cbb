using System.Net;
using System.Net.Http.Json;
using System.Net.Sockets;
using System.Text.Json.Nodes;
using CaveComm.Sandbox;
using CaveComm.Tests.Support;
using Shouldly;

namespace CaveComm.Tests.Sandbox;

/// <summary>The switches that all look-alikes share.</summary>
public sealed class FaultSwitchTests : IAsyncLifetime
{
    private readonly TestFolder folder = new();
    private readonly HttpClient http = new();
    private SandboxHost host = null!;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => host = await SandboxHost.Start(new SandboxOptions { DataFolder = folder.Path }, CancellationToken.None);

    public async ValueTask DisposeAsync()
    {
        http.Dispose();
        await host.DisposeAsync();
        folder.Dispose();
    }

    [Theory]
    [InlineData("stripe")]
    [InlineData("btcpay")]
    public async Task Every_nth_call_can_fail_before_anything_is_done(string provider)
    {
        await Control(provider, new { errorBeforeEvery = 2 });

        var answers = new List<HttpStatusCode>();
        for (var call = 0; call < 4; call++)
        {
            answers.Add(await Make(provider));
        }

        answers.ShouldBe([HttpStatusCode.OK, HttpStatusCode.InternalServerError, HttpStatusCode.OK, HttpStatusCode.InternalServerError]);
        await Control(provider, new { reset = true });
        (await Count(provider)).ShouldBe(2, "what failed was not done");
    }

    [Theory]
    [InlineData("stripe")]
    [InlineData("btcpay")]
    public async Task Reset_puts_every_switch_back_and_the_state_can_be_read(string provider)
    {
        await Control(provider, new { timeoutEvery = 3, errorEvery = 5, duplicates = 2, shuffleWebhooks = true, errorBeforeEvery = 1 });
        var set = await http.GetFromJsonAsync<JsonObject>(new Uri(Url(provider), "_control"), Cancel);
        ((int)set!["timeoutEvery"]!, (int)set["errorEvery"]!, (int)set["duplicates"]!, (bool)set["shuffleWebhooks"]!).ShouldBe((3, 5, 2, true));

        var after = await Control(provider, new { reset = true });

        ((int)after["timeoutEvery"]!, (int)after["errorEvery"]!, (int)after["duplicates"]!, (bool)after["shuffleWebhooks"]!).ShouldBe((0, 0, 1, false));
        (await Make(provider)).ShouldBe(HttpStatusCode.OK);
    }

    [Theory]
    [InlineData("{\"errorBeforeEvery\":-1}")]
    [InlineData("{\"errorBeforeEvery\":\"often\"}")]
    [InlineData("{\"reset\":1}")]
    public async Task Nonsense_is_refused(string body)
    {
        foreach (var provider in new[] { "stripe", "btcpay" })
        {
            using var content = new StringContent(body, System.Text.Encoding.UTF8, "application/json");
            using var answer = await http.PostAsync(new Uri(Url(provider), "_control"), content, Cancel);
            ((int)answer.StatusCode).ShouldBeInRange(400, 499);
            (await Make(provider)).ShouldBe(HttpStatusCode.OK);
        }
    }

    [Fact]
    public async Task The_mail_server_can_be_away_for_a_while_and_comes_back_by_itself()
    {
        var down = await Control("mail", new { downSeconds = 1 });
        ((bool)down["down"]!).ShouldBeTrue();
        (await Connects()).ShouldBeFalse();

        await Eventually.Holds("it is back", Connects);

        ((bool)(await http.GetFromJsonAsync<JsonObject>(new Uri(host.MailUrl, "_control"), Cancel))!["down"]!).ShouldBeFalse();
    }

    [Fact]
    public async Task Reset_brings_the_mail_server_back_at_once()
    {
        await Control("mail", new { downSeconds = 600, busy = true });

        var after = await Control("mail", new { reset = true });

        ((bool)after["down"]!, (bool)after["busy"]!).ShouldBe((false, false));
        (await Connects()).ShouldBeTrue();
    }

    private async Task<bool> Connects()
    {
        using var client = new TcpClient();
        try
        {
            await client.ConnectAsync(IPAddress.Loopback, host.SmtpPort, Cancel);
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }

    private async Task<JsonObject> Control(string lookalike, object switches)
    {
        using var answer = await http.PostAsJsonAsync(new Uri(Url(lookalike), "_control"), switches, Cancel);
        answer.StatusCode.ShouldBe(HttpStatusCode.OK, await answer.Content.ReadAsStringAsync(Cancel));
        return (await answer.Content.ReadFromJsonAsync<JsonObject>(Cancel))!;
    }

    private Uri Url(string lookalike) => lookalike switch { "stripe" => host.StripeUrl, "btcpay" => host.BtcPayUrl, _ => host.MailUrl };

    private async Task<HttpStatusCode> Make(string provider)
    {
        using var request = Request(provider, HttpMethod.Post);
        request.Content = provider == "stripe"
            ? new FormUrlEncodedContent([new("email", "ada@example.com")])
            : JsonContent.Create(new { amount = "5", currency = "EUR" });
        using var answer = await http.SendAsync(request, Cancel);
        return answer.StatusCode;
    }

    private async Task<int> Count(string provider)
    {
        using var answer = await http.SendAsync(Request(provider, HttpMethod.Get), Cancel);
        var body = await answer.Content.ReadFromJsonAsync<JsonNode>(Cancel);
        return (provider == "stripe" ? body!["data"]! : body!).AsArray().Count;
    }

    private HttpRequestMessage Request(string provider, HttpMethod method) => provider == "stripe"
        ? new(method, new Uri(host.StripeUrl, "v1/customers")) { Headers = { { "Authorization", $"Bearer {host.StripeApiKey}" } } }
        : new(method, new Uri(host.BtcPayUrl, $"api/v1/stores/{host.BtcPayStoreId}/invoices")) { Headers = { { "Authorization", $"token {host.BtcPayApiKey}" } } };
}
