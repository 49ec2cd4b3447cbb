using System.Net;
using CaveComm.Domain.Payments;
using Microsoft.Extensions.Logging;

namespace CaveComm.Providers.Http;

/// <summary>One request to a provider.</summary>
/// <param name="Operation">What it is for, in our words; for the log.</param>
/// <param name="Path">Under the provider's base address. Holds ids only, so it may be logged; whatever else is asked for goes into <see cref="Query"/>.</param>
internal sealed record ProviderCall(string Operation, HttpMethod Method, string Path)
{
    public string Query { get; init; } = "";

    /// <summary>Made anew for each try.</summary>
    public Func<HttpContent>? Content { get; init; }

    public IReadOnlyList<(string Name, string Value)> Headers { get; init; } = [];

    public string? Key { get; init; }

    /// <summary>Whether doing it twice is the same as doing it once.</summary>
    public bool IsRepeatable { get; init; }

    /// <summary>Success has no body.</summary>
    public bool AnswersNothing { get; init; }
}

/// <summary>Sends requests to one provider: a time limit, few quick retries, a limit of calls side by side, a circuit breaker, one log line for each answer.</summary>
/// <remarks>What does not come back as a definite answer comes out as <see cref="GatewayUnavailableException"/>.</remarks>
internal sealed class ProviderHttp(
    string provider, string keySetting, HttpClient http, CallLimits limits, TimeSpan retryPause, TimeProvider clock, ILogger log) : IDisposable
{
    private const int Tries = 3;

    // A longer wait is the queue's business, not that of somebody who holds a worker.
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(2);

    private readonly ProviderLine line = new(provider, limits, clock, log);

    public ProviderState State => line.State;

    /// <summary>A client that follows no redirects and keeps no cookies; connections are renewed, so that a changed DNS entry is noticed.</summary>
    public static HttpClient CreateClient(Uri baseAddress, HttpMessageHandler? handler = null) => new(handler ?? new SocketsHttpHandler
    {
        AllowAutoRedirect = false,
        UseCookies = false,
        AutomaticDecompression = DecompressionMethods.All,
        ConnectTimeout = TimeSpan.FromSeconds(5),
        PooledConnectionLifetime = TimeSpan.FromMinutes(5),
    })
    {
        BaseAddress = baseAddress.AbsoluteUri.EndsWith('/') ? baseAddress : new Uri(baseAddress.AbsoluteUri + "/"),

        // Each try has a time limit of its own.
        Timeout = Timeout.InfiniteTimeSpan,

        // BTCPay lists all payouts of a store in one answer.
        MaxResponseContentBufferSize = 64 * 1024 * 1024,
    };

    /// <summary>An id as one segment of a path.</summary>
    public static string Segment(string id) => id is "" or "." or ".." ? throw new ArgumentException("That is no id.", nameof(id)) : Uri.EscapeDataString(id);

    public void Dispose() => line.Dispose();

    public async Task<ProviderAnswer> Send(ProviderCall call, CancellationToken cancel)
    {
        for (var attempt = 1; ; attempt++)
        {
            if (await line.Enter(cancel) is var (why, wait))
            {
                throw new GatewayUnavailableException(provider, $"{call.Operation} was not tried: {why}.", wait);
            }

            ProviderAnswer? answer;
            GatewayUnavailableException? failure;
            bool mayRetry;
            try
            {
                (answer, failure, mayRetry) = await Try(call, attempt, cancel);
            }
            catch
            {
                line.Circuit.Abandoned();
                throw;
            }
            finally
            {
                line.Leave();
            }

            if (answer is not null)
            {
                return answer;
            }

            var pause = failure!.RetryAfter ?? (retryPause * Math.Pow(2, attempt - 1) * (0.5 + (Random.Shared.NextDouble() / 2)));
            if (attempt == Tries || !mayRetry || pause > LongestPause)
            {
                throw failure;
            }

            await Task.Delay(pause, clock, cancel);
        }
    }

    private async Task<(ProviderAnswer? Answer, GatewayUnavailableException? Failure, bool MayRetry)> Try(ProviderCall call, int attempt, CancellationToken cancel)
    {
        var started = clock.GetTimestamp();
        using var limit = new CancellationTokenSource(limits.Timeout, clock);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancel);
        try
        {
            using var request = Request(call);
            using var response = await http.SendAsync(request, HttpCompletionOption.ResponseContentRead, both.Token);
            return Read(call, response, await response.Content.ReadAsByteArrayAsync(both.Token), started);
        }
        catch (OperationCanceledException silence) when (!cancel.IsCancellationRequested)
        {
            // A reading is tried once more: what takes several calls would else begin anew with each that is lost. What changes something is not tried
            // again here, since whoever waits has waited long enough.
            return (null, Unreachable(call, "no answer in time", started, silence), call.Method == HttpMethod.Get && attempt == 1);
        }
        catch (HttpRequestException broken)
        {
            var neverSent = broken.HttpRequestError is HttpRequestError.NameResolutionError or HttpRequestError.ConnectionError;
            return (null, Unreachable(call, $"no connection ({broken.HttpRequestError})", started, broken), call.IsRepeatable || neverSent);
        }
        catch (IOException broken)
        {
            return (null, Unreachable(call, "the connection broke", started, broken), call.IsRepeatable);
        }
    }

    private (ProviderAnswer? Answer, GatewayUnavailableException? Failure, bool MayRetry) Read(
        ProviderCall call, HttpResponseMessage response, byte[] bytes, long started)
    {
        var json = JsonReading.Parse(bytes);
        var kind = bytes.Length == 0 ? BodyKind.Empty : json is null ? BodyKind.Foreign : BodyKind.Json;
        var body = json ?? default;
        var code = ProviderAnswer.CodeOf(body);
        ProviderLog.Answered(
            log,
            provider,
            call.Operation,
            (int)response.StatusCode,
            clock.GetElapsedTime(started).TotalMilliseconds,
            call.Method.Method,
            call.Path,
            body.Text("id"),
            call.Key,
            Header(response, "Request-Id"),
            Header(response, "Idempotent-Replayed") == "true",
            (int)response.StatusCode >= 400 ? Short(code) : null);

        var verdict = call.AnswersNothing && kind == BodyKind.Empty && response.IsSuccessStatusCode ? Verdict.Done : ProviderFaults.Judge(response.StatusCode, kind, code);
        if (verdict == Verdict.Unknown && (int)response.StatusCode >= 500)
        {
            line.Circuit.Failed();
        }
        else
        {
            line.Circuit.Succeeded();
        }

        if (verdict is Verdict.Done or Verdict.Refused)
        {
            return (new ProviderAnswer(response.StatusCode, body), null, false);
        }

        var words = ProviderFaults.Explain(verdict, response.StatusCode, call.Operation, keySetting);
        var asked = RetryAfter(response);
        if (asked > LongestPause && response.StatusCode is (HttpStatusCode.TooManyRequests or HttpStatusCode.ServiceUnavailable))
        {
            line.Circuit.Rest(asked.Value);
        }

        var failure = new GatewayUnavailableException(provider, words, asked);
        return (null, failure, call.IsRepeatable && (Header(response, "Stripe-Should-Retry") switch
        {
            "true" => true,
            "false" => false,
            _ => verdict == Verdict.Busy || (int)response.StatusCode >= 500,
        }));
    }

    private GatewayUnavailableException Unreachable(ProviderCall call, string reason, long started, Exception cause)
    {
        line.Circuit.Failed();
        ProviderLog.Silent(log, provider, call.Operation, reason, clock.GetElapsedTime(started).TotalMilliseconds, call.Method.Method, call.Path, call.Key);
        return new GatewayUnavailableException(provider, $"{call.Operation}: {reason}.", inner: cause);
    }

    private static HttpRequestMessage Request(ProviderCall call)
    {
        var request = new HttpRequestMessage(call.Method, new Uri(call.Query == "" ? call.Path : $"{call.Path}?{call.Query}", UriKind.Relative));
        foreach (var (name, value) in call.Headers)
        {
            request.Headers.Add(name, value);
        }

        request.Content = call.Content?.Invoke();
        return request;
    }

    private TimeSpan? RetryAfter(HttpResponseMessage response) => response.Headers.RetryAfter switch
    {
        { Delta: { } delta } => delta,
        { Date: { } date } => date > clock.GetUtcNow() ? date - clock.GetUtcNow() : TimeSpan.Zero,
        _ => null,
    };

    private static string? Header(HttpResponseMessage response, string name) =>
        response.Headers.TryGetValues(name, out var values) ? Short(values.FirstOrDefault()) : null;

    private static string? Short(string? text) => text is { Length: > 64 } ? text[..64] : text;
}
