using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Shouldly;

namespace CaveComm.Tests.Flow;

/// <summary>What several tests begin and end with.</summary>
internal static class Stories
{
    /// <summary>A commission whose customer has paid up front.</summary>
    public static async Task<Story> Paid(this Office office, string provider)
    {
        var story = await (await (await new Story(office).Publish("upFront", provider)).Request(provider)).Accept();
        await story.Reaches("awaitingPayment");
        await story.Pay();
        await story.Reaches("inProgress");
        return story;
    }

    /// <summary>Reads a view that has caught up with everything recorded by now.</summary>
    public static async Task<JsonObject> Current(this Office office, HttpClient client, string path)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, path);
        request.Headers.Add("CaveComm-Position", $"{await office.HighestSequence()}");
        using var answer = await client.SendAsync(request);
        answer.StatusCode.ShouldBe(HttpStatusCode.OK, await answer.Content.ReadAsStringAsync());
        answer.Headers.Contains("CaveComm-Stale").ShouldBeFalse();
        return (await answer.Content.ReadFromJsonAsync<JsonObject>())!;
    }
}
