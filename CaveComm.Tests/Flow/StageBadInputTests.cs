using System.Net;
using System.Net.Http.Json;
using System.Text;
using Shouldly;

namespace CaveComm.Tests.Flow;

/// <summary>The right request at the wrong moment, by the wrong person, or about an old version.</summary>
[Collection(nameof(BadInputOffice))]
public sealed class StageBadInputTests(Office office)
{
    private static readonly string[] Acts = ["accept", "decline", "cancel", "release", "read", "checkPayment", "markPaidOut"];

    [Fact]
    public async Task A_second_decision_is_refused()
    {
        var accepted = await (await (await new Story(office).Publish("onDelivery", "stripe")).Request("stripe")).Accept();
        foreach (var act in (string[])["accept", "decline"])
        {
            var problem = await office.IsRefused(accepted, () => accepted.Post(act), HttpStatusCode.Conflict, "wrong-stage");
            ((string)problem["detail"]!).ShouldContain("in progress");
        }

        var declined = await (await new Story(office).Publish("onDelivery", "stripe")).Request("stripe");
        using var first = await declined.Post("decline");
        first.StatusCode.ShouldBe(HttpStatusCode.OK);
        foreach (var act in (string[])["accept", "decline", "cancel", "release", "markPaidOut"])
        {
            await office.IsRefused(declined, () => declined.Post(act), HttpStatusCode.Conflict, "wrong-stage");
        }

        await office.IsRefused(declined, () => declined.PostProduct(("raven.png", [1])), HttpStatusCode.Conflict, "wrong-stage");
        await office.IsRefused(declined, () => declined.Post("checkPayment"), HttpStatusCode.Conflict, "no-invoice");
    }

    [Fact]
    public async Task What_was_only_requested_takes_no_product_and_no_payout()
    {
        var story = await (await new Story(office).Publish("upFront", "stripe")).Request("stripe");

        await office.IsRefused(story, () => story.PostProduct(("raven.png", "raven"u8.ToArray())), HttpStatusCode.Conflict, "wrong-stage");
        await office.IsRefused(story, () => story.Post("release"), HttpStatusCode.Conflict, "wrong-stage");
        await office.IsRefused(story, () => story.Post("markPaidOut"), HttpStatusCode.Conflict, "wrong-stage");
        await office.IsRefused(story, () => story.Post("cancel"), HttpStatusCode.Conflict, "wrong-stage");
    }

    [Fact]
    public async Task Nothing_paid_is_withdrawn_or_cancelled()
    {
        var story = await (await (await new Story(office).Publish("upFront", "stripe")).Request("stripe")).Accept();
        await story.Pay();
        await story.Reaches("inProgress");

        await office.IsRefused(story, () => Withdraw(story.StatusUrl), HttpStatusCode.Conflict, "wrong-stage");
        await office.IsRefused(story, () => story.Post("cancel"), HttpStatusCode.Conflict, "wrong-stage");
        await office.IsRefused(story, () => story.Post("release"), HttpStatusCode.Conflict, "nothing-to-deliver");
    }

    [Fact]
    public async Task An_old_version_decides_nothing()
    {
        var story = await (await new Story(office).Publish("onDelivery", "stripe")).Request("stripe");
        foreach (var tag in (string[])["\"0\"", "\"2\"", "W/\"1\"", "\"1", "garbage"])
        {
            await office.IsRefused(story, () => If(tag, story, "accept"), HttpStatusCode.PreconditionFailed, "version-mismatch");
            await office.IsRefused(story, () => If(tag, story, "decline"), HttpStatusCode.PreconditionFailed, "version-mismatch");
        }

        using var accepted = await If("\"1\"", story, "accept");
        accepted.StatusCode.ShouldBe(HttpStatusCode.OK);
        accepted.Headers.ETag!.Tag.ShouldBe("\"2\"");

        using var late = await If("\"1\"", story, "decline");
        await late.IsProblem(HttpStatusCode.PreconditionFailed, "version-mismatch");
        late.Headers.ETag!.Tag.ShouldBe("\"2\"");
        await office.IsRefused(story, () => If("\"1\"", story, "finalProduct", Product()), HttpStatusCode.PreconditionFailed, "version-mismatch");
        using var uploaded = await If("\"2\"", story, "finalProduct", Product());
        uploaded.StatusCode.ShouldBe(HttpStatusCode.Created);
    }

    [Fact]
    public async Task Somebody_elses_request_is_not_there()
    {
        var story = await (await new Story(office).Publish("onDelivery", "stripe")).Request("stripe");

        foreach (var path in (string[])[story.Path, $"freelancer/jonas/requests/{story.RequestId}", $"freelancer/jonas/requests/{Guid.CreateVersion7()}"])
        {
            foreach (var act in (string[])["", "/accept", "/decline", "/cancel"])
            {
                using var shown = await office.Second.GetAsync(path + act);
                await shown.IsProblem(HttpStatusCode.NotFound, "not-found");
            }

            foreach (var act in Acts)
            {
                await office.IsRefused(story, () => office.Second.PostAsJsonAsync($"{path}/{act}", new { }), HttpStatusCode.NotFound, "not-found");
            }

            await office.IsRefused(story, () => office.Second.PostAsync($"{path}/finalProduct", Product()), HttpStatusCode.NotFound, "not-found");
        }

        using var inbox = await office.Second.GetAsync("freelancer/mira/inbox");
        await inbox.IsProblem(HttpStatusCode.NotFound, "not-found");
        await office.IsRefused(null, () => office.Second.PostAsJsonAsync("freelancer/mira/close", new { }), HttpStatusCode.NotFound, "not-found");
        await office.IsRefused(null, () => office.Second.DeleteAsync($"freelancer/mira/templates/{story.Template}"), HttpStatusCode.NotFound, "not-found");
        await office.IsRefused(null, () => office.Second.PutAsJsonAsync("freelancer/mira/profile", new { displayName = "Jonas" }), HttpStatusCode.NotFound, "not-found");
    }

    [Theory]
    [InlineData("17")]
    [InlineData("not-an-id")]
    [InlineData("%00")]
    [InlineData("..%2f..%2fetc")]
    public async Task What_is_no_id_is_not_found(string id)
    {
        using var shown = await office.Freelancer.GetAsync($"freelancer/mira/requests/{id}");
        ((int)shown.StatusCode).ShouldBeOneOf(400, 404);
        shown.Content.Headers.ContentType?.MediaType.ShouldBeOneOf("application/problem+json", null);
        using var acted = await office.Freelancer.PostAsJsonAsync($"freelancer/mira/requests/{id}/accept", new { });
        ((int)acted.StatusCode).ShouldBeOneOf(400, 404);
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("forged")]
    [InlineData("eyJhbGciOiJub25lIn0.eyJzdWIiOiJtaXJhIn0.")]
    public async Task Without_a_valid_token_nothing_else_is_looked_at(string? token)
    {
        var story = await (await new Story(office).Publish("onDelivery", "stripe")).Request("stripe");
        using var stranger = office.Client(token);

        foreach (var path in (string[])[story.Path, $"{story.Path}/accept", "freelancer/mira/inbox?limit=0", "freelancer/mira/templates", "freelancer/nobody/inbox", $"freelancer/mira/requests/{Guid.NewGuid()}"])
        {
            using var shown = await stranger.GetAsync(path);
            await NeedsSignIn(shown);
        }

        foreach (var act in Acts)
        {
            await office.IsRefused(
                story, () => stranger.PostAsync($"{story.Path}/{act}", new StringContent("{", Encoding.UTF8, "text/plain")), HttpStatusCode.Unauthorized, "sign-in-required");
        }

        await office.IsRefused(story, () => stranger.PostAsync($"{story.Path}/finalProduct", Product()), HttpStatusCode.Unauthorized, "sign-in-required");
        await office.IsRefused(
            null, () => stranger.PostAsync("freelancer/mira/createInvoice", new StringContent(new string(' ', 600_000))), HttpStatusCode.Unauthorized, "sign-in-required");
        await office.IsRefused(null, () => stranger.PutAsJsonAsync("freelancer/mira/templates/x", new { }), HttpStatusCode.Unauthorized, "sign-in-required");
    }

    [Fact]
    public async Task A_status_page_opens_by_its_own_token_alone()
    {
        var story = await (await new Story(office).Publish("upFront", "stripe")).Request("stripe");
        var other = await (await new Story(office).Publish("upFront", "stripe")).Request("stripe");
        var own = $"customer/requests/{story.RequestId}";
        var foreign = new Uri(other.StatusUrl).Query;
        var genuine = new Uri(story.StatusUrl).Query;
        var bent = genuine[..^2] + (genuine[^2] == 'A' ? "BB" : "AA");

        foreach (var query in (string[])["", "?token=", "?token=forged", foreign, bent, "?token=" + new string('A', 5_000)])
        {
            using var shown = await office.Anonymous.GetAsync(own + query);
            await shown.IsProblem(HttpStatusCode.NotFound, "not-found");
            await office.IsRefused(story, () => Withdraw($"{own}{query}"), HttpStatusCode.NotFound, "not-found");
        }

        using var withFreelancersToken = await office.Freelancer.GetAsync(own);
        await withFreelancersToken.IsProblem(HttpStatusCode.NotFound, "not-found");
        using var withdrawn = await Withdraw(story.StatusUrl);
        withdrawn.StatusCode.ShouldBe(HttpStatusCode.OK);
    }

    private static async Task NeedsSignIn(HttpResponseMessage answer)
    {
        await answer.IsProblem(HttpStatusCode.Unauthorized, "sign-in-required");
        answer.Headers.Location.ShouldBeNull();
        answer.Headers.WwwAuthenticate.ShouldNotBeEmpty();
    }

    /// <param name="statusUrl">Whole or relative; the act stands before its query.</param>
    private Task<HttpResponseMessage> Withdraw(string statusUrl)
    {
        var at = statusUrl.IndexOf('?', StringComparison.Ordinal) is var found and >= 0 ? found : statusUrl.Length;
        return office.Anonymous.PostAsJsonAsync($"{statusUrl[..at]}/withdraw{statusUrl[at..]}", new { });
    }

    private Task<HttpResponseMessage> If(string tag, Story story, string act, HttpContent? body = null)
    {
        var request = new HttpRequestMessage(HttpMethod.Post, $"{story.Path}/{act}") { Content = body ?? JsonContent.Create(new { }) };
        request.Headers.TryAddWithoutValidation("If-Match", tag).ShouldBeTrue();
        return office.Freelancer.SendAsync(request);
    }

    private static MultipartFormDataContent Product() => new() { { new ByteArrayContent("raven"u8.ToArray()), "file", "raven.png" } };
}
