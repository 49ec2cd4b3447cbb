using System.Net.Http.Headers;
using System.Text.Json;
using System.Text.Json.Nodes;
using CaveComm.Domain.Payments;
using CaveComm.Providers.Http;
using Microsoft.Extensions.Logging;

namespace CaveComm.Providers.BtcPay;

/// <summary>BTCPay Server's wire: Greenfield JSON under the store's own paths, which every version routes. Knows no commission.</summary>
internal sealed class BtcPayClient : IDisposable
{
    private readonly HttpClient http;
    private readonly ProviderHttp provider;
    private readonly string store;

    public BtcPayClient(BtcPayOptions options, TimeProvider clock, ILogger log, HttpMessageHandler? handler = null)
    {
        http = ProviderHttp.CreateClient(options.Url, handler);
        http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("token", options.ApiKey);
        provider = new ProviderHttp(BtcPayGateway.ProviderName, "BTCPay:ApiKey", http, options.Limits, options.RetryPause, clock, log);
        store = $"api/v1/stores/{ProviderHttp.Segment(options.StoreId)}";
    }

    public ProviderState State => provider.State;

    public void Dispose()
    {
        http.Dispose();
        provider.Dispose();
    }

    /// <param name="query">Already escaped.</param>
    public Task<ProviderAnswer> Get(string operation, string path, string query, CancellationToken cancel) =>
        provider.Send(new ProviderCall(operation, HttpMethod.Get, $"{store}/{path}") { Query = query, IsRepeatable = true }, cancel);

    /// <summary>Reads what answers with an array. Anything else says nothing, least of all that there is nothing: on that a payout would be made twice.</summary>
    /// <param name="query">Already escaped.</param>
    public async Task<IReadOnlyList<JsonElement>> List(string operation, string path, string query, CancellationToken cancel)
    {
        var answer = await Get(operation, path, query, cancel);
        return answer is { IsDone: true, Body.ValueKind: JsonValueKind.Array } ? [.. answer.Body.Items()] : throw Unreadable(operation, answer);
    }

    /// <param name="isRepeatable">False for what creates: BTCPay has no idempotency keys, so an unclear outcome is looked up, not repeated.</param>
    public Task<ProviderAnswer> Post(string operation, string path, JsonObject body, bool isRepeatable, CancellationToken cancel) => provider.Send(
        new ProviderCall(operation, HttpMethod.Post, $"{store}/{path}")
        {
            // A known length, since not every proxy in front of a BTCPay Server takes chunks.
            Content = () => new StringContent(body.ToJsonString(), new MediaTypeHeaderValue("application/json")),
            IsRepeatable = isRepeatable,
        },
        cancel);

    /// <summary>Success answers without a body, and a repeat changes nothing.</summary>
    public Task<ProviderAnswer> Delete(string operation, string path, CancellationToken cancel) =>
        provider.Send(new ProviderCall(operation, HttpMethod.Delete, $"{store}/{path}") { IsRepeatable = true, AnswersNothing = true }, cancel);

    /// <summary>What a refused reading means: nothing is known, so nothing is begun on it.</summary>
    public static GatewayUnavailableException Unreadable(string operation, ProviderAnswer answer) =>
        new(BtcPayGateway.ProviderName, $"{operation}: {answer.ErrorCode ?? $"HTTP {(int)answer.Status}"}.");
}
