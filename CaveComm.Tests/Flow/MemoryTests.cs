using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using CaveComm.Tests.Support;
using Shouldly;

namespace CaveComm.Tests.Flow;

/// <summary>What the running product, with its sandbox inside, takes of the machine's memory.</summary>
public sealed class MemoryTests(ITestOutputHelper output)
{
    private const long MiB = 1024 * 1024;

    [Fact]
    public async Task At_rest_the_product_takes_under_200_MB_and_an_upload_of_any_size_takes_no_more()
    {
        var size = Soak.Size(256 * MiB, 2048 * MiB);
        await using var office = await KillableOffice.Start(inOne: true);
        using var mira = new PatientClient(office, "freelancer");
        using var customer = new PatientClient(office, null);
        Say("ready", Resident(office));
        await new LongStory(office, mira, customer).UpFrontByStripe();
        Say("after a story", Resident(office));
        await Eventually.Holds("the product rests", () => Resident(office) < 200_000_000);
        var rest = Resident(office);
        Say("at rest", rest);

        var id = await Commission(mira);
        using var http = await Freelancer(office);
        using var form = new MultipartFormDataContent();
        var content = new GeneratedContent(size);
        form.Add(content, "file", "film.mov");
        var watch = Stopwatch.StartNew();
        var uploading = http.PostAsync(new Uri($"freelancer/{mira.Handle}/requests/{id}/finalProduct", UriKind.Relative), form, TestContext.Current.CancellationToken);
        var most = rest;
        using (var every = new PeriodicTimer(TimeSpan.FromMilliseconds(20)))
        {
            while (!uploading.IsCompleted)
            {
                most = Math.Max(most, Resident(office));
                await every.WaitForNextTickAsync(TestContext.Current.CancellationToken);
            }
        }

        using var answer = await uploading;
        Say(string.Create(CultureInfo.InvariantCulture, $"most during {size / MiB} MiB in {watch.Elapsed.TotalSeconds:0.0} s"), most);
        var product = await answer.Content.ReadFromJsonAsync<JsonNode>(TestContext.Current.CancellationToken);
        answer.StatusCode.ShouldBe(HttpStatusCode.Created, product!.ToJsonString());
        ((string)product["files"]![0]!["sha256"]!).ShouldBe(content.Sha256);
        ((long)product["files"]![0]!["size"]!).ShouldBe(size);
        (most - rest).ShouldBeLessThan(64 * MiB);

        // Over the edge of two blocks, near the end.
        await Range(http, new Uri((string)product["downloadUrl"]!), size - 200_001, 150_000, size);
        Say("after the download of a part", Resident(office));
    }

    private static async Task Range(HttpClient http, Uri link, long from, int count, long size)
    {
        using var ask = new HttpRequestMessage(HttpMethod.Get, link) { Headers = { Range = new RangeHeaderValue(from, from + count - 1) } };
        using var answer = await http.SendAsync(ask, TestContext.Current.CancellationToken);
        answer.StatusCode.ShouldBe(HttpStatusCode.PartialContent);
        answer.Content.Headers.ContentRange!.Length.ShouldBe(size);
        (await answer.Content.ReadAsByteArrayAsync(TestContext.Current.CancellationToken)).ShouldBe(GeneratedContent.Bytes(from, count));
    }

    private static async Task<Guid> Commission(PatientClient mira)
    {
        var made = await mira.Post(
            $"freelancer/{mira.Handle}/createInvoice",
            () => JsonContent.Create(new
            {
                customer = new { name = "Grace Hopper", email = "grace@example.com" },
                description = "A film",
                amount = new { amount = "80.00", currency = "EUR" },
                paymentTerms = "onDelivery",
                provider = "stripe",
            }),
            () => Task.FromResult<JsonNode?>(null),
            HttpStatusCode.Created);
        return (Guid)made["requestId"]!;
    }

    private static async Task<HttpClient> Freelancer(KillableOffice office)
    {
        var http = new HttpClient { BaseAddress = office.Url, Timeout = Timeout.InfiniteTimeSpan };
        var account = office.Facts["accounts"]!["freelancer"]!;
        using var signIn = await http.PostAsJsonAsync(
            "freelancer/login", new { username = (string)account["username"]!, password = (string)account["password"]! }, TestContext.Current.CancellationToken);
        var token = await signIn.Content.ReadFromJsonAsync<JsonNode>(TestContext.Current.CancellationToken);
        http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", (string)token!["access_token"]!);
        http.DefaultRequestHeaders.Accept.Add(new MediaTypeWithQualityHeaderValue("application/json"));
        return http;
    }

    private static long Resident(KillableOffice office)
    {
        var line = File.ReadLines($"/proc/{office.ProcessId}/status").Single(it => it.StartsWith("VmRSS:", StringComparison.Ordinal));
        return long.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture) * 1024;
    }

    private void Say(string when, long bytes) => output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{bytes / 1e6,7:0.0} MB {when}"));
}
