using System.Net;
using System.Text;

namespace CaveComm.Tests.Providers;

/// <summary>Answers requests from a script, in the order written for each address, and keeps what was sent.</summary>
internal sealed class ScriptedProvider
{
    private readonly Dictionary<string, Queue<Func<HttpResponseMessage>>> script = new(StringComparer.Ordinal);

    public List<SentRequest> Sent { get; } = [];

    /// <summary>Requests to one address, such as <c>POST /v1/invoices</c>.</summary>
    public IReadOnlyList<SentRequest> To(string address) => [.. Sent.Where(request => request.Address == address)];

    public ScriptedProvider On(string address, string body, int status = 200, string mediaType = "application/json", params (string Name, string Value)[] headers) =>
        On(address, () =>
        {
            var response = new HttpResponseMessage((HttpStatusCode)status) { Content = new StringContent(body, Encoding.UTF8, mediaType) };
            foreach (var (name, value) in headers)
            {
                response.Headers.TryAddWithoutValidation(name, value);
            }

            return response;
        });

    public ScriptedProvider On(string address, Func<HttpResponseMessage> answer)
    {
        if (!script.TryGetValue(address, out var answers))
        {
            script[address] = answers = new();
        }

        answers.Enqueue(answer);
        return this;
    }

    /// <summary>Drops all but the last answer at these addresses.</summary>
    public ScriptedProvider Forget(params ReadOnlySpan<string> addresses)
    {
        foreach (var address in addresses)
        {
            while (script[address].Count > 1)
            {
                script[address].Dequeue();
            }
        }

        return this;
    }

    public HttpMessageHandler Handler() => new Wire(this);

    private async Task<HttpResponseMessage> Answer(HttpRequestMessage request, CancellationToken cancel)
    {
        var sent = await SentRequest.Of(request, cancel);
        Sent.Add(sent);
        return script.TryGetValue(sent.Address, out var answers) && answers.Count > 0
            ? (answers.Count > 1 ? answers.Dequeue() : answers.Peek())()
            : sent.Address is "GET /v1/refunds" or "GET /v1/disputes" ? Nothing() // Asked about with every paid invoice; most have none.
            : throw new InvalidOperationException($"The script has no answer for {sent.Address}.");
    }

    private static HttpResponseMessage Nothing() => new(HttpStatusCode.OK) { Content = new StringContent("""{"object":"list","data":[],"has_more":false}""", Encoding.UTF8, "application/json") };

    private sealed class Wire(ScriptedProvider script) : HttpMessageHandler
    {
        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken) =>
            script.Answer(request, cancellationToken);
    }
}

/// <summary>What went over the wire.</summary>
internal sealed record SentRequest(string Method, string Path, string Query, string Body, IReadOnlyDictionary<string, string> Headers)
{
    public string Address => $"{Method} {Path}";

    public string? Key => Headers.GetValueOrDefault("Idempotency-Key");

    /// <summary>The form's pairs, in order, unescaped.</summary>
    public IReadOnlyList<string> Form => Pairs(Body);

    public IReadOnlyList<string> Asked => Pairs(Query);

    public static async Task<SentRequest> Of(HttpRequestMessage request, CancellationToken cancel) => new(
        request.Method.Method,
        request.RequestUri!.AbsolutePath,
        request.RequestUri.Query.TrimStart('?'),
        request.Content is null ? "" : await request.Content.ReadAsStringAsync(cancel),
        request.Headers.Concat(request.Content?.Headers ?? Enumerable.Empty<KeyValuePair<string, IEnumerable<string>>>())
            .ToDictionary(header => header.Key, header => string.Join(",", header.Value), StringComparer.OrdinalIgnoreCase));

    public static IReadOnlyList<string> Pairs(string encoded) =>
        encoded == "" ? [] : [.. encoded.Split('&').Select(pair => string.Join('=', pair.Split('=').Select(part => Uri.UnescapeDataString(part.Replace('+', ' ')))))];
}
