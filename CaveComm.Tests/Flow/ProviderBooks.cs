using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using CaveComm.Api.Freelancers;

namespace CaveComm.Tests.Flow;

/// <summary>What the outside parties have on record, whatever the product believes.</summary>
internal sealed class ProviderBooks(KillableOffice office)
{
    // One for all: a look costs no connection.
    private static readonly HttpClient Http = new() { Timeout = TimeSpan.FromSeconds(30) };

    private string Store => $"{office.Sandbox.BtcPayUrl}/api/v1/stores/{office.Sandbox.BtcPayStoreId}";

    public async Task<bool> IsPaid(string provider, string invoiceId) => provider == "stripe"
        ? (string?)(await Stripe($"invoices/{invoiceId}", null))["status"] == "paid"
        : (string?)(await BtcPay($"invoices/{invoiceId}"))["status"] != "New";

    /// <param name="to">Null for everybody's.</param>
    public async Task<IReadOnlyList<JsonNode>> Mails(string? to) =>
        Items((await Http.GetFromJsonAsync<JsonArray>(
            $"{office.Sandbox.MailUrl}/messages{(to is null ? "" : $"?to={Uri.EscapeDataString(to)}")}", TestContext.Current.CancellationToken))!);

    /// <summary>
    /// Bad weather: every n-th call does its work and is answered with an error, so that nobody knows what became of it; and webhooks come twice, in
    /// any order.
    /// </summary>
    /// <param name="errorEvery">0 for never.</param>
    public async Task Weather(int errorEvery)
    {
        foreach (var provider in new[] { office.Sandbox.StripeUrl, office.Sandbox.BtcPayUrl })
        {
            using var answer = await Http.PostAsJsonAsync(
                $"{provider}/_control", new { errorEvery, duplicates = 2, shuffleWebhooks = true }, TestContext.Current.CancellationToken);
            answer.EnsureSuccessStatusCode();
        }
    }

    /// <summary>Sets switches of both providers.</summary>
    public async Task Control(object switches)
    {
        foreach (var provider in new[] { office.Sandbox.StripeUrl, office.Sandbox.BtcPayUrl })
        {
            using var answer = await Http.PostAsJsonAsync($"{provider}/_control", switches, TestContext.Current.CancellationToken);
            answer.EnsureSuccessStatusCode();
        }
    }

    /// <summary>How many webhooks nobody has taken yet, of both.</summary>
    public async Task<int> WaitingWebhooks()
    {
        var waiting = 0;
        foreach (var provider in new[] { office.Sandbox.StripeUrl, office.Sandbox.BtcPayUrl })
        {
            waiting += (int)(await Http.GetFromJsonAsync<JsonNode>($"{provider}/_control", TestContext.Current.CancellationToken))!["waitingWebhooks"]!;
        }

        return waiting;
    }

    public Task<List<JsonNode>> StripeEvents() => StripeList("events", null);

    public Task<List<JsonNode>> StripeInvoices() => StripeList("invoices", null);

    public Task<List<JsonNode>> StripeTransfers() => StripeList("transfers", null);

    public Task<List<JsonNode>> StripePayouts(string handle) => StripeList("payouts", DemoShop.StripeAccount(handle));

    public Task<List<JsonNode>> StripePayments() => StripeList("payment_intents", null);

    public async Task<IReadOnlyList<JsonNode>> BtcPayInvoices()
    {
        const int most = 50;
        var all = new List<JsonNode>();
        while (true)
        {
            var page = Items((await BtcPay($"invoices?take={most}&skip={all.Count}")).AsArray());
            all.AddRange(page);
            if (page.Count < most)
            {
                return all;
            }
        }
    }

    public async Task<IReadOnlyList<JsonNode>> BtcPayPayouts() => Items((await BtcPay("payouts?includeCancelled=true")).AsArray());

    private async Task<List<JsonNode>> StripeList(string kind, string? account)
    {
        var all = new List<JsonNode>();
        while (true)
        {
            var page = await Stripe($"{kind}?limit=100{(all.Count == 0 ? "" : $"&starting_after={all[^1]["id"]}")}", account);
            all.AddRange(Items(page["data"]!.AsArray()));
            if (!(bool)page["has_more"]!)
            {
                return all;
            }
        }
    }

    private Task<JsonNode> Stripe(string path, string? account) =>
        Ask($"{office.Sandbox.StripeUrl}/v1/{path}", new AuthenticationHeaderValue("Bearer", office.Sandbox.StripeApiKey), account);

    private Task<JsonNode> BtcPay(string path) => Ask($"{Store}/{path}", new AuthenticationHeaderValue("token", office.Sandbox.BtcPayApiKey), null);

    private static async Task<JsonNode> Ask(string url, AuthenticationHeaderValue who, string? account)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, url) { Headers = { Authorization = who } };
        if (account is not null)
        {
            request.Headers.Add("Stripe-Account", account);
        }

        using var answer = await Http.SendAsync(request, TestContext.Current.CancellationToken);
        answer.EnsureSuccessStatusCode();
        return (await answer.Content.ReadFromJsonAsync<JsonNode>(TestContext.Current.CancellationToken))!;
    }

    private static List<JsonNode> Items(JsonArray array) => [.. array.Select(item => item!)];
}
