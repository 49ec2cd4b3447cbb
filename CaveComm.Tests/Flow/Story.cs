using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json.Nodes;
using CaveComm.Tests.Support;
using Shouldly;

namespace CaveComm.Tests.Flow;

/// <summary>One commission's way through the office, told over HTTP.</summary>
/// <param name="shop">Whose shop it is, and the client that is signed in there; Mira's when left out.</param>
public sealed class Story(Office office, (string Handle, HttpClient Client)? shop = null)
{
    private readonly (string Handle, HttpClient Client) shop = shop ?? (Office.Mira.Handle, office.Freelancer);

    private static int counter;

    public string CustomerEmail { get; } = $"customer-{Interlocked.Increment(ref counter)}-{Guid.NewGuid():N}@example.com";

    public string CustomerName { get; init; } = "Ada Lovelace";

    public string Template { get; } = $"template-{Guid.NewGuid():N}"[..40];

    public string Title { get; } = $"Portrait {Guid.NewGuid():N}"[..16];

    public Guid RequestId { get; private set; }

    public string StatusUrl { get; private set; } = "";

    public string Path => $"freelancer/{shop.Handle}/requests/{RequestId}";

    public async Task<Story> Publish(string paymentTerms, string provider, int? slots = null, string amount = "120.00", string currency = "EUR")
    {
        using var answer = await shop.Client.PutAsJsonAsync($"freelancer/{shop.Handle}/templates/{Template}", new
        {
            title = Title,
            description = "One figure, full colour.",
            price = new { amount, currency },
            paymentTerms,
            providers = new[] { provider },
            questions = new object[]
            {
                new { id = "subject", label = "Who or what?", kind = "text", required = true },
                new { id = "size", label = "Size", kind = "choice", required = false, options = new[] { "small", "large" } },
                new { id = "figures", label = "How many figures?", kind = "number", required = false },
            },
            slots,
        });
        answer.StatusCode.ShouldBe(HttpStatusCode.Created, await answer.Content.ReadAsStringAsync());
        return this;
    }

    public object RequestBody(string provider) => new
    {
        customer = new { name = CustomerName, email = CustomerEmail },
        answers = new Dictionary<string, object> { ["subject"] = "A raven", ["size"] = "large", ["figures"] = 2 },
        provider,
    };

    public Task<HttpResponseMessage> PostRequest(string provider) =>
        office.Anonymous.PostAsJsonAsync($"customer/{shop.Handle}/template/{Template}/request", RequestBody(provider));

    public async Task<Story> Request(string provider)
    {
        using var answer = await PostRequest(provider);
        answer.StatusCode.ShouldBe(HttpStatusCode.Created, await answer.Content.ReadAsStringAsync());
        var body = await answer.Content.ReadFromJsonAsync<JsonObject>();
        RequestId = (Guid)body!["requestId"]!;
        StatusUrl = (string)body["statusUrl"]!;
        return this;
    }

    public async Task<Story> CreateInvoice(string paymentTerms, string provider)
    {
        using var answer = await shop.Client.PostAsJsonAsync($"freelancer/{shop.Handle}/createInvoice", new
        {
            customer = new { name = "Grace Hopper", email = CustomerEmail },
            description = Title,
            amount = new { amount = "80.00", currency = "EUR" },
            paymentTerms,
            provider,
        });
        answer.StatusCode.ShouldBe(HttpStatusCode.Created, await answer.Content.ReadAsStringAsync());
        RequestId = (Guid)(await answer.Content.ReadFromJsonAsync<JsonObject>())!["requestId"]!;
        return this;
    }

    public async Task<Story> Accept()
    {
        using var answer = await Post("accept");
        answer.StatusCode.ShouldBe(HttpStatusCode.OK, await answer.Content.ReadAsStringAsync());
        return this;
    }

    public Task<HttpResponseMessage> Post(string act, object? body = null) => shop.Client.PostAsJsonAsync($"{Path}/{act}", body ?? new { });

    public async Task<JsonObject> Detail() => (await shop.Client.GetFromJsonAsync<JsonObject>(Path))!;

    /// <summary>Waits for a status and gives the detail then.</summary>
    public async Task<JsonObject> Reaches(string status)
    {
        JsonObject detail = null!;
        await Eventually.Holds($"the commission becomes {status}; it is {(RequestId == Guid.Empty ? "none" : "")}", async () => (string)(detail = await Detail())["status"]! == status);
        return detail;
    }

    /// <summary>Waits for a pay link and gives it.</summary>
    public async Task<Uri> PayUrl()
    {
        string? url = null;
        await Eventually.Holds("there is a pay link", async () => (url = (string?)(await Detail())["invoice"]?["payUrl"]) is not null);
        return new Uri(url!);
    }

    public async Task<Story> Pay(string action = "pay")
    {
        using var client = new HttpClient(new SocketsHttpHandler { AllowAutoRedirect = false });
        using var form = new FormUrlEncodedContent(new Dictionary<string, string> { ["action"] = action });
        using var answer = await client.PostAsync(await PayUrl(), form);
        ((int)answer.StatusCode).ShouldBeInRange(200, 399, await answer.Content.ReadAsStringAsync());
        return this;
    }

    public Task<HttpResponseMessage> PostProduct(params (string Name, byte[] Content)[] files)
    {
        var form = new MultipartFormDataContent();
        foreach (var (name, content) in files)
        {
            var part = new ByteArrayContent(content);
            part.Headers.ContentType = new MediaTypeHeaderValue("image/png");
            form.Add(part, "file", name);
        }

        return shop.Client.PostAsync($"{Path}/finalProduct", form);
    }

    public async Task<JsonObject> Upload(string content = "the raven, finished")
    {
        using var answer = await PostProduct(("raven.png", Encoding.UTF8.GetBytes(content)));
        answer.StatusCode.ShouldBe(HttpStatusCode.Created, await answer.Content.ReadAsStringAsync());
        return (await answer.Content.ReadFromJsonAsync<JsonObject>())!;
    }

    public async Task<IReadOnlyList<string>> History() => [.. (await Detail())["history"]!.AsArray().Select(line => (string)line!["type"]!)];
}
