using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;

namespace CaveComm.Tests.Flow;

/// <summary>An answer, read to its end.</summary>
internal sealed record Heard(int Status, string Body, IReadOnlyDictionary<string, string> Headers)
{
    private static readonly string[] NotOfTheAnswer = ["Date", "Transfer-Encoding", "Content-Length", "Idempotent-Replayed", "Server"];

    public bool IsReplayed => Headers.ContainsKey("Idempotent-Replayed");

    public string? Problem => Headers.GetValueOrDefault("Content-Type") == "application/problem+json" ? JsonDocument.Parse(Body).RootElement.GetProperty("type").GetString() : null;

    /// <summary>All that a client goes by, in one text.</summary>
    public string Whole => $"{Status}\n{string.Join('\n', Headers.Where(it => !NotOfTheAnswer.Contains(it.Key)).OrderBy(it => it.Key, StringComparer.Ordinal).Select(it => $"{it.Key}: {it.Value}"))}\n{Body}";

    public string Member(string name) => JsonDocument.Parse(Body).RootElement.GetProperty(name).ToString();
}

/// <summary>The office that the tests of idempotency share.</summary>
[CollectionDefinition(nameof(IdempotencyOffice))]
public sealed class IdempotencyOffice : ICollectionFixture<Office>;

internal static class KeyedRequests
{
    public static string NewKey() => Guid.NewGuid().ToString();

    /// <summary>Where a customer asks for what the story's template offers.</summary>
    public static string PathOf(Story story) => $"customer/{Office.Mira.Handle}/template/{story.Template}/request";

    /// <summary>How many commissions of the story's template there are: a place is counted for each.</summary>
    public static Task<long> CommissionsOf(this Office office, Story story) => office.Database.Scalar<long>(
        $"select count(*) from mt_events where stream_id = 'slots:{Office.Mira.Handle}/{story.Template}' and type = 'slots.slot-taken'");

    public static StringContent Json(object body) => new(JsonSerializer.Serialize(body, JsonSerializerOptions.Web), Encoding.UTF8, "application/json");

    public static MultipartFormDataContent Upload(string boundary, params (string Field, string File, string Content)[] files)
    {
        var form = new MultipartFormDataContent(boundary);
        foreach (var (field, file, content) in files)
        {
            var part = new ByteArrayContent(Encoding.UTF8.GetBytes(content));
            part.Headers.ContentType = new MediaTypeHeaderValue("image/png");
            form.Add(part, field, file);
        }

        return form;
    }

    public static async Task<Heard> PostWith(this HttpClient client, string? key, string path, HttpContent? content = null, params (string Name, string Value)[] headers)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, path) { Content = content };
        if (key is not null)
        {
            request.Headers.TryAddWithoutValidation("Idempotency-Key", key);
        }

        foreach (var (name, value) in headers)
        {
            request.Headers.TryAddWithoutValidation(name, value);
        }

        using var answer = await client.SendAsync(request, TestContext.Current.CancellationToken);
        return new Heard(
            (int)answer.StatusCode,
            await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken),
            answer.Headers.Concat(answer.Content.Headers).ToDictionary(it => it.Key, it => string.Join(", ", it.Value), StringComparer.OrdinalIgnoreCase));
    }
}
