using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using CaveComm.Domain;
using CaveComm.Domain.Payments;
using CaveComm.Tests.Support;
using Shouldly;

namespace CaveComm.Tests.Flow;

/// <summary>A shop of a test's own, so that what its freelancer owes is nobody else's, and a hand on both look-alikes.</summary>
internal sealed class MoneyDesk
{
    private readonly Office office;

    private MoneyDesk(Office office, string handle, HttpClient client)
    {
        (this.office, Handle, Client) = (office, handle, client);
    }

    public string Handle { get; }

    public HttpClient Client { get; }

    public string Account => $"acct_{Handle.Replace("-", "", StringComparison.Ordinal)}";

    public string Mailbox => $"{Handle}@cavecomm.example";

    public static async Task<MoneyDesk> Open(Office office)
    {
        var (handle, client) = await office.OpenShop($"shop-{Guid.NewGuid():N}"[..24]);
        var desk = new MoneyDesk(office, handle, client);
        office.Sandbox.SeedConnectedAccount(desk.Account, desk.Mailbox);
        await desk.SetDestination("stripe", desk.Account);
        await desk.SetDestination("btcpay", $"{handle}@wallet.example");
        return desk;
    }

    /// <summary>A commission whose invoice can be paid.</summary>
    public async Task<Story> Invoiced(string provider)
    {
        var story = await (await (await new Story(office, (Handle, Client)).Publish("upFront", provider)).Request(provider)).Accept();
        await story.Reaches("awaitingPayment");
        await story.PayUrl();
        return story;
    }

    public async Task<Story> Paid(string provider)
    {
        var story = await (await Invoiced(provider)).Pay();
        await story.Reaches("inProgress");
        return story;
    }

    public async Task<Story> PaidOut(string provider)
    {
        var story = await Paid(provider);
        await story.Upload();
        await story.Reaches("paidOut");
        return story;
    }

    public static async Task<string> InvoiceId(Story story) => (string)(await story.Detail())["invoice"]!["id"]!;

    public async Task<string> Charge(Story story)
    {
        var payment = (string)(await story.Detail())["payments"]![0]!["id"]!;
        return (string)(await Stripe(HttpMethod.Get, $"payment_intents/{payment}"))["latest_charge"]!;
    }

    /// <summary>Calls Stripe's look-alike as the operator at the dashboard would.</summary>
    public async Task<JsonNode> Stripe(HttpMethod method, string path, params (string Name, string Value)[] form)
    {
        using var answer = await AskStripe(method, path, form);
        answer.StatusCode.ShouldBe(HttpStatusCode.OK, await answer.Content.ReadAsStringAsync());
        return (await answer.Content.ReadFromJsonAsync<JsonNode>())!;
    }

    public async Task<HttpResponseMessage> AskStripe(HttpMethod method, string path, params (string Name, string Value)[] form)
    {
        using var client = new HttpClient();
        using var request = new HttpRequestMessage(method, new Uri(office.Sandbox.StripeUrl, $"v1/{path}"))
        {
            Headers = { Authorization = new AuthenticationHeaderValue("Bearer", office.Sandbox.StripeApiKey) },
            Content = form is [] ? null : new FormUrlEncodedContent(form.Select(it => KeyValuePair.Create(it.Name, it.Value))),
        };
        return await client.SendAsync(request);
    }

    /// <summary>Presses a button of a page, BTCPay's or Stripe's.</summary>
    public static async Task Press(Uri page, params (string Name, string Value)[] form)
    {
        using var client = new HttpClient(new SocketsHttpHandler { AllowAutoRedirect = false });
        using var content = new FormUrlEncodedContent(form.Select(it => KeyValuePair.Create(it.Name, it.Value)));
        using var answer = await client.PostAsync(page, content);
        ((int)answer.StatusCode).ShouldBeInRange(200, 399, await answer.Content.ReadAsStringAsync());
    }

    /// <summary>Waits until something has been recorded this often.</summary>
    public static Task Happens(Story story, string alias, int times = 1) =>
        Eventually.Holds($"{times} × {alias}", async () => await Count(story, alias) == times);

    public static async Task<int> Count(Story story, string alias) => (await story.History()).Count(type => type == $"commission.{alias}");

    public static Task<HttpResponseMessage> AskRefund(Story story, string amount, string currency = "EUR", string? reason = null) =>
        story.Post("refunds", new { amount = new { amount, currency }, reason });

    public static async Task Refund(Story story, string amount, string? reason = null)
    {
        using var answer = await AskRefund(story, amount, reason: reason);
        answer.StatusCode.ShouldBe(HttpStatusCode.Created, await answer.Content.ReadAsStringAsync());
    }

    /// <summary>What the freelancer owes, in minor units.</summary>
    public async Task<long> Owed(string coin)
    {
        await using var session = office.Store.QuerySession();
        return (await session.Events.AggregateStreamAsync<Balance>(StreamKey.Balance(Handle, coin), token: TestContext.Current.CancellationToken))?.OwedMinor ?? 0;
    }

    /// <summary>The commission's billing rows in order, such as <c>received 120.00 EUR</c>.</summary>
    public async Task<IReadOnlyList<string>> Billing(Story story)
    {
        var rows = (await office.Current(Client, $"freelancer/{Handle}/billing"))["items"]!.AsArray();
        return [.. rows.Where(row => (Guid)row!["requestId"]! == story.RequestId).Select(row => $"{row!["kind"]} {row["amount"]!["amount"]} {row["amount"]!["currency"]}").Order()];
    }

    /// <summary>How many different mails with this in their subject somebody got, once nothing is left to do.</summary>
    public async Task<int> Mails(string to, string subject)
    {
        await office.Mail(to, subject);
        await office.Messages.WaitForIdle(TimeSpan.FromSeconds(60));
        return (await office.Mails(to)).Count(mail => ((string)mail["subject"]!).Contains(subject, StringComparison.Ordinal));
    }

    /// <summary>Puts money of the platform's, which another customer's payment has brought, on the freelancer's account.</summary>
    public async Task TopUp(string minor)
    {
        await Paid("stripe");
        await Stripe(HttpMethod.Post, "transfers", ("amount", minor), ("currency", "eur"), ("destination", Account));
    }

    private async Task SetDestination(string provider, string destination)
    {
        using var set = await Client.PutAsJsonAsync($"freelancer/{Handle}/payoutDestinations/{provider}", new { destination });
        set.StatusCode.ShouldBe(HttpStatusCode.OK, await set.Content.ReadAsStringAsync());
    }
}
