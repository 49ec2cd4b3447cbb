using System.Diagnostics;
using System.Net;
using System.Net.Http.Headers;
using System.Text.Json;
using System.Text.Json.Nodes;
using CaveComm.Api.CommandLine.Up;

namespace CaveComm.Api.CommandLine.Demo;

/// <summary>The running product and its sandbox, reached over HTTP only, as customers and freelancers reach them.</summary>
internal sealed class Office : IDisposable
{
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly TimeSpan patience;
    private readonly UpFile facts;
    private readonly HttpClient customer = Client();
    private readonly HttpClient freelancer = Client();

    /// <param name="patience">How long each step may take.</param>
    public Office(UpFile facts, TimeSpan patience)
    {
        this.facts = facts;
        this.patience = patience;
        if (facts.Accounts is null || facts.Mail is null)
        {
            throw new CommandFailure("The demo needs the sandbox, and the running product has none. Start it without --no-sandbox, outside Production.");
        }
    }

    public string Handle => facts.Accounts!.Freelancer.Handle;

    public async Task SignIn(CancellationToken cancel)
    {
        var account = facts.Accounts!.Freelancer;
        var answer = await Ask(
            customer,
            HttpMethod.Post,
            "/freelancer/login",
            JsonContent.Create(new { username = account.Username, password = account.Password }),
            HttpStatusCode.OK,
            cancel);
        freelancer.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", (string?)answer["access_token"]);
    }

    /// <summary>Publishes a template, or finds it as it was published before.</summary>
    public Task PublishTemplate(string name, object template, CancellationToken cancel) =>
        Ask(freelancer, HttpMethod.Put, $"/freelancer/{Handle}/templates/{name}", JsonContent.Create(template), HttpStatusCode.OK, cancel);

    /// <returns>The answer's requestId, status and statusUrl.</returns>
    public Task<JsonNode> Request(string template, object body, CancellationToken cancel) =>
        Ask(customer, HttpMethod.Post, $"/customer/{Handle}/template/{template}/request", JsonContent.Create(body), HttpStatusCode.Created, cancel);

    public Task<JsonNode> CreateInvoice(object body, CancellationToken cancel) =>
        Ask(freelancer, HttpMethod.Post, $"/freelancer/{Handle}/createInvoice", JsonContent.Create(body), HttpStatusCode.Created, cancel);

    public Task<JsonNode> Decide(string request, string act, object? body, CancellationToken cancel) =>
        Ask(freelancer, HttpMethod.Post, Path(request, act), JsonContent.Create(body ?? new { }), HttpStatusCode.OK, cancel);

    /// <summary>The status code alone, for acts that may be refused.</summary>
    public async Task<HttpStatusCode> Try(string request, string act, CancellationToken cancel)
    {
        using var answer = await freelancer.PostAsync(Address(Path(request, act)), JsonContent.Create(new { }), cancel);
        return answer.StatusCode;
    }

    public Task<JsonNode> Detail(string request, CancellationToken cancel) =>
        Ask(freelancer, HttpMethod.Get, Path(request, ""), null, HttpStatusCode.OK, cancel);

    public Task<JsonNode> AsCustomer(string statusUrl, CancellationToken cancel) =>
        Ask(customer, HttpMethod.Get, statusUrl, null, HttpStatusCode.OK, cancel);

    public async Task<JsonNode> Upload(string request, string name, byte[] content, CancellationToken cancel)
    {
        using var file = new ByteArrayContent(content);
        file.Headers.ContentType = new MediaTypeHeaderValue("text/plain");
        using var form = new MultipartFormDataContent { { file, "files", name } };
        return await Ask(freelancer, HttpMethod.Post, Path(request, "finalProduct"), form, HttpStatusCode.Created, cancel);
    }

    public Task<byte[]> Download(string url, CancellationToken cancel) => customer.GetByteArrayAsync(new Uri(url), cancel);

    /// <summary>Presses a button of the provider's hosted page.</summary>
    public async Task Press(string payUrl, string action, CancellationToken cancel)
    {
        using var form = new FormUrlEncodedContent([new("action", action)]);
        using var answer = await customer.PostAsync(new Uri(payUrl), form, cancel);
        if ((int)answer.StatusCode >= 400)
        {
            throw new DemoFailure($"The pay page at {payUrl} answered {(int)answer.StatusCode} to '{action}'.");
        }
    }

    /// <summary>Mails whose recipient or text has this in it, oldest first.</summary>
    public async Task<IReadOnlyList<JsonNode>> Mails(string about, CancellationToken cancel)
    {
        var all = await Ask(customer, HttpMethod.Get, $"{facts.Mail}/messages", null, HttpStatusCode.OK, cancel);
        return
        [
            .. all.AsArray().OfType<JsonNode>().Reverse().Where(mail =>
                Text(mail, "to").Contains(about, StringComparison.OrdinalIgnoreCase)
                || Text(mail, "text").Contains(about, StringComparison.OrdinalIgnoreCase)),
        ];
    }

    /// <summary>Waits until the condition gives something.</summary>
    /// <param name="what">Said when it does not come true in time.</param>
    public async Task<T> Until<T>(string what, Func<Task<T?>> condition, CancellationToken cancel)
        where T : class
    {
        var waited = Stopwatch.StartNew();
        using var every = new PeriodicTimer(TimeSpan.FromMilliseconds(50));
        do
        {
            if (await condition() is { } found)
            {
                return found;
            }
        }
        while (waited.Elapsed < patience && await every.WaitForNextTickAsync(cancel));

        throw new DemoFailure($"It did not happen within {patience.TotalSeconds:0} s: {what}.");
    }

    public static string Text(JsonNode? node, string name) => node?[name]?.GetValue<string>() ?? "";

    public void Dispose()
    {
        customer.Dispose();
        freelancer.Dispose();
    }

    private static HttpClient Client()
    {
        var client = new HttpClient(new SocketsHttpHandler { AllowAutoRedirect = false, UseCookies = false });
        client.DefaultRequestHeaders.Accept.ParseAdd("application/json");
        return client;
    }

    private string Path(string request, string act) => $"/freelancer/{Handle}/requests/{request}{(act.Length == 0 ? "" : "/" + act)}";

    private Uri Address(string pathOrUrl) => pathOrUrl.StartsWith('/') ? new Uri(facts.Url + pathOrUrl) : new Uri(pathOrUrl);

    private async Task<JsonNode> Ask(
        HttpClient client, HttpMethod method, string pathOrUrl, HttpContent? body, HttpStatusCode expected, CancellationToken cancel)
    {
        using var request = new HttpRequestMessage(method, Address(pathOrUrl)) { Content = body };
        using var answer = await client.SendAsync(request, cancel);
        var text = await answer.Content.ReadAsStringAsync(cancel);

        // A second demo on the same data finds its templates published already: made or changed, both are well.
        if (answer.StatusCode != expected && !(method == HttpMethod.Put && answer.StatusCode == HttpStatusCode.Created))
        {
            throw new DemoFailure($"{method} {request.RequestUri!.PathAndQuery} answered {(int)answer.StatusCode} instead of {(int)expected}: {text}");
        }

        try
        {
            return JsonNode.Parse(text) ?? throw new DemoFailure($"{method} {request.RequestUri!.PathAndQuery} answered with nothing.");
        }
        catch (JsonException)
        {
            throw new DemoFailure($"{method} {request.RequestUri!.PathAndQuery} answered with no JSON: {text}");
        }
    }
}
