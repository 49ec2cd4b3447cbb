using System.Net;
using System.Net.Sockets;
using System.Text;
using CaveComm.Tests.Support;
using Shouldly;

namespace CaveComm.Tests.Flow;

/// <summary>Products that do not arrive whole, or are none.</summary>
[Collection(nameof(BadInputOffice))]
public sealed class UploadBadInputTests(Office office)
{
    [Fact]
    public async Task What_is_no_upload_is_refused()
    {
        var story = await Accepted();
        var files = Files();

        await office.IsRefused(story, () => story.Post("finalProduct"), HttpStatusCode.UnsupportedMediaType, "unsupported-media-type");
        await office.IsRefused(story, () => Post(story, "multipart/form-data", "x"), HttpStatusCode.BadRequest, "malformed");
        await office.IsRefused(story, () => Post(story, "multipart/form-data; boundary=b", "no part at all"), HttpStatusCode.BadRequest, "malformed");
        await office.IsRefused(story, () => Post(story, "multipart/form-data; boundary=b", "--b--\r\n"), HttpStatusCode.UnprocessableEntity, "no-files");
        await office.IsRefused(
            story,
            () => Post(story, "multipart/form-data; boundary=b", "--b\r\nContent-Disposition: form-data; name=\"note\"\r\n\r\nhello\r\n--b--\r\n"),
            HttpStatusCode.UnprocessableEntity,
            "no-files");
        await office.IsRefused(
            story,
            () => Post(story, "multipart/form-data; boundary=b", "--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.png\"\r\n\r\nhalf a raven"),
            HttpStatusCode.BadRequest,
            "malformed");
        await office.IsRefused(
            story, () => story.PostProduct([.. Enumerable.Range(0, 101).Select(n => ($"{n}.png", new byte[] { 1 }))]), HttpStatusCode.RequestEntityTooLarge, "too-large");

        Files().ShouldBe(files, ignoreOrder: true);
    }

    [Fact]
    public async Task An_upload_that_breaks_off_leaves_nothing_and_a_later_one_works()
    {
        var story = await Accepted();
        var (files, before) = (Files(), await office.HighestSequence());

        // One file whole, the next cut in the middle.
        var whole = $"--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"whole.png\"\r\n\r\n{new string('w', 300_000)}\r\n";
        var half = $"--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"half.png\"\r\n\r\n{new string('h', 300_000)}";
        using (var socket = new TcpClient())
        {
            await socket.ConnectAsync(office.Url.Host, office.Url.Port);
            var stream = socket.GetStream();
            await stream.WriteAsync(Encoding.ASCII.GetBytes(
                $"POST /{story.Path}/finalProduct HTTP/1.1\r\nHost: {office.Url.Authority}\r\nAuthorization: {office.Freelancer.DefaultRequestHeaders.Authorization}\r\n"
                + $"Content-Type: multipart/form-data; boundary=b\r\nContent-Length: {whole.Length + (2 * half.Length)}\r\n\r\n{whole}{half}"));
            await Eventually.Holds("the second file is being written", () => Files().Count > files.Count + 1);
        }

        await Eventually.Holds("nothing of it is left", () => Files().SequenceEqual(files));
        (await office.RecordedSince(before, story)).ShouldBe("");
        (await story.Detail())["files"]!.AsArray().ShouldBeEmpty();

        var answer = await story.Upload("whole at last");
        (await office.Anonymous.GetStringAsync((string)answer["downloadUrl"]!)).ShouldBe("whole at last");
    }

    private async Task<Story> Accepted() => await (await (await new Story(office).Publish("onDelivery", "stripe")).Request("stripe")).Accept();

    private Task<HttpResponseMessage> Post(Story story, string type, string body)
    {
        var content = new ByteArrayContent(Encoding.UTF8.GetBytes(body));
        content.Headers.TryAddWithoutValidation("Content-Type", type).ShouldBeTrue();
        return office.Freelancer.PostAsync($"{story.Path}/finalProduct", content);
    }

    private List<string> Files() => !Directory.Exists(office.Storage) ? [] : [.. Directory.EnumerateFiles(office.Storage, "*", SearchOption.AllDirectories).Order(StringComparer.Ordinal)];
}
