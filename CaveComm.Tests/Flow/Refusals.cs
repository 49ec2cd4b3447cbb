using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Shouldly;

namespace CaveComm.Tests.Flow;

/// <summary>One office for all that is sent to it in bad faith or by mistake.</summary>
[CollectionDefinition(nameof(BadInputOffice))]
public sealed class BadInputOffice : ICollectionFixture<Office>;

/// <summary>What a refusal owes its caller: a problem document that names the fault, and a log that nothing was added to.</summary>
internal static class Refusals
{
    /// <summary>Sends, expects a problem document, and looks that nothing was recorded.</summary>
    /// <param name="story">Its commission must not have moved; null where there is none.</param>
    /// <param name="fields">Exactly the fields that the problem names.</param>
    public static async Task<JsonObject> IsRefused(
        this Office office, Story? story, Func<Task<HttpResponseMessage>> send, HttpStatusCode status, string code, params string[] fields)
    {
        var before = await office.HighestSequence();
        using var answer = await send();
        var problem = await answer.IsProblem(status, code, fields);
        (await office.RecordedSince(before, story)).ShouldBe("", $"{status} {code}, and yet something was recorded");
        return problem;
    }

    public static async Task<JsonObject> IsProblem(this HttpResponseMessage answer, HttpStatusCode status, string code, params string[] fields)
    {
        var text = await answer.Content.ReadAsStringAsync();
        answer.StatusCode.ShouldBe(status, text);
        answer.Content.Headers.ContentType!.MediaType.ShouldBe("application/problem+json");
        var problem = JsonNode.Parse(text)!.AsObject();
        ((string)problem["type"]!).ShouldBe($"/problems/{code}", text);
        ((int)problem["status"]!).ShouldBe((int)status);
        ((string)problem["title"]!).ShouldNotBeNullOrWhiteSpace();
        ((string)problem["detail"]!).ShouldNotBeNullOrWhiteSpace();
        (problem["errors"]?.AsObject().Select(fault => fault.Key) ?? []).ShouldBe(fields, ignoreOrder: true, customMessage: text);
        return problem;
    }

    public static Task<long> HighestSequence(this Office office) =>
        office.Database.Scalar<long>("select coalesce(max(seq_id), 0) from mt_events");

    /// <summary>
    /// What was recorded after a place in the log, but for what earlier stories set going: commissions that were there before and are not this story's, and
    /// the providers' news of them.
    /// </summary>
    public static Task<string> RecordedSince(this Office office, long before, Story? story) => office.Database.Scalar<string>(
        $"""
        select coalesce(string_agg(stream_id || ' ' || type, ', ' order by seq_id), '') from mt_events as it
        where seq_id > {before} and stream_id not like '%-event:%'
            and (stream_id = 'commission:{story?.RequestId ?? Guid.Empty}' or stream_id not like 'commission:%'
                or not exists (select 1 from mt_events as older where older.stream_id = it.stream_id and older.seq_id <= {before}))
        """);

    public static Task<HttpResponseMessage> Ask(this Office office, Story story, object body, string handle = "mira") =>
        office.Anonymous.PostAsJsonAsync($"customer/{handle}/template/{story.Template}/request", body);
}
