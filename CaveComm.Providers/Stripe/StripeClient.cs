using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using CaveComm.Providers.Http;
using Microsoft.Extensions.Logging;

namespace CaveComm.Providers.Stripe;

/// <summary>Stripe's wire: version, key, form encoding, idempotency keys, pages. Knows no commission.</summary>
internal sealed class StripeClient : IDisposable
{
    /// <summary>The field names in this folder are those of this version.</summary>
    public const string Version = "2026-07-29.dahlia";

    private const int LongestKey = 255;

    private readonly HttpClient http;
    private readonly ProviderHttp provider;

    public StripeClient(StripeOptions options, TimeProvider clock, ILogger log, HttpMessageHandler? handler = null)
    {
        http = ProviderHttp.CreateClient(options.ApiBase, handler);
        http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", options.ApiKey);
        http.DefaultRequestHeaders.Add("Stripe-Version", Version);
        provider = new ProviderHttp(StripeGateway.ProviderName, "Stripe:ApiKey", http, options.Limits, options.RetryPause, clock, log);
    }

    public ProviderState State => provider.State;

    public void Dispose()
    {
        http.Dispose();
        provider.Dispose();
    }

    /// <param name="account">The connected account to act on; null for the platform itself.</param>
    public Task<ProviderAnswer> Get(string operation, string path, StripeForm? query, string? account, CancellationToken cancel) => provider.Send(
        new ProviderCall(operation, HttpMethod.Get, path) { Query = query?.Encode() ?? "", Headers = Headers(null, account), IsRepeatable = true },
        cancel);

    /// <param name="key">Idempotency key: the order's key and the step.</param>
    public Task<ProviderAnswer> Post(string operation, string path, string key, StripeForm form, string? account, CancellationToken cancel)
    {
        if (key.Length > LongestKey)
        {
            throw new ArgumentException($"Stripe takes idempotency keys of at most {LongestKey} characters.", nameof(key));
        }

        return provider.Send(
            new ProviderCall(operation, HttpMethod.Post, path)
            {
                Headers = Headers(key, account),
                Content = () => new StringContent(form.Encode(), Encoding.UTF8, "application/x-www-form-urlencoded"),
                Key = key,
                IsRepeatable = true,
            },
            cancel);
    }

    public Task<ProviderAnswer> Delete(string operation, string path, CancellationToken cancel) =>
        provider.Send(new ProviderCall(operation, HttpMethod.Delete, path) { IsRepeatable = true }, cancel);

    /// <summary>Walks a list, newest first, page by page.</summary>
    /// <param name="query">Makes the filter anew for each page.</param>
    /// <param name="isEmptyIfMissing">That Stripe does not know what the filter names is the answer: there is nothing.</param>
    public async Task<IReadOnlyList<JsonElement>> List(
        string operation, string path, Func<StripeForm> query, string? account, CancellationToken cancel, bool isEmptyIfMissing = false)
    {
        var found = new List<JsonElement>();
        string? after = null;
        while (true)
        {
            var form = query();
            form["limit"] = 100;
            form["starting_after"] = after;
            var answer = await Get(operation, path, form, account, cancel);
            if (isEmptyIfMissing && !answer.IsDone && (answer.IsMissing || answer.ErrorCode == "resource_missing"))
            {
                return found;
            }

            if (!answer.IsDone || answer.Body.At("data").ValueKind != JsonValueKind.Array)
            {
                // Nobody can say whether the work was done before: no new one is begun on that.
                throw new Domain.Payments.GatewayUnavailableException(StripeGateway.ProviderName, $"{operation}: {answer.ErrorCode ?? (answer.IsDone ? "no list" : "refused")}.");
            }

            found.AddRange(answer.Body.Items("data"));
            if (!answer.Body.IsTrue("has_more") || found.Count == 0 || found[^1].Text("id") is not { } last || last == after)
            {
                return found;
            }

            after = last;
        }
    }

    private static List<(string Name, string Value)> Headers(string? key, string? account)
    {
        var headers = new List<(string Name, string Value)>(2);
        if (key is not null)
        {
            headers.Add(("Idempotency-Key", key));
        }

        if (account is not null)
        {
            headers.Add(("Stripe-Account", account));
        }

        return headers;
    }
}
