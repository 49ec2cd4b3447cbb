using System.Net;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text;
using CaveComm.Api.Http;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Shouldly;

namespace CaveComm.Tests.Http;

public sealed class UploadSite : IAsyncLifetime
{
    public const long Limit = 64 * 1024 * 1024;

    internal TestSite Site { get; private set; } = null!;

    public async ValueTask InitializeAsync() => Site = await TestSite.Start(app => app.MapPost("/upload", async (HttpContext http, CancellationToken cancel) =>
    {
        var (upload, problem) = await MultipartUpload.Open(http, Limit, cancel);
        if (upload is null)
        {
            return problem!;
        }

        var story = new List<string>();
        await foreach (var part in upload.Parts(cancel))
        {
            story.Add(part switch
            {
                UploadPart.Field it => $"{it.Name}={it.Value}",
                UploadPart.File it => $"{it.Name}:{it.FileName}:{it.MediaType}:{Convert.ToHexStringLower(await SHA256.HashDataAsync(it.Content, cancel))}",
                _ => "?",
            });
        }

        return (IResult)TypedResults.Json(story, Json.Options);
    }).StreamsUpload());

    public ValueTask DisposeAsync() => Site.DisposeAsync();
}

public sealed class UploadTests(UploadSite fixture) : IClassFixture<UploadSite>
{
    private TestSite Site => fixture.Site;

    [Fact]
    public async Task Fields_and_files_arrive_in_order()
    {
        var content = RandomNumberGenerator.GetBytes(3 * 1024 * 1024);
        using var form = new MultipartFormDataContent { { new StringContent("Grüße"), "note" } };
        var file = new ByteArrayContent(content) { Headers = { ContentType = new MediaTypeHeaderValue("image/png") } };
        form.Add(file, "files", "../../C:\\pictures\\sun.png");
        form.Add(new StringContent("after"), "last");
        var response = await Site.Send(HttpMethod.Post, "/upload", form);
        (await response.Json()).EnumerateArray().Select(it => it.GetString()).ShouldBe(
            ["note=Grüße", $"files:sun.png:image/png:{Convert.ToHexStringLower(SHA256.HashData(content))}", "last=after"]);
    }

    [Fact]
    public async Task A_large_file_is_never_held_in_memory()
    {
        const long Size = 60L * 1024 * 1024;

        // Other tests allocate meanwhile, more at one attempt than at another; what the upload holds is in each of them.
        var least = long.MaxValue;
        for (var attempt = 0; attempt < 10 && least >= Size / 2; attempt++)
        {
            var before = GC.GetTotalAllocatedBytes();
            using var form = new MultipartFormDataContent { { new StreamContent(new Zeros(Size)), "files", "big.bin" } };
            var response = await Site.Send(HttpMethod.Post, "/upload", form);
            response.StatusCode.ShouldBe(HttpStatusCode.OK);
            least = Math.Min(least, GC.GetTotalAllocatedBytes() - before);
        }

        // Client and server run in this process; both copy through pooled buffers.
        least.ShouldBeLessThan(Size / 2);
    }

    [Fact]
    public async Task A_file_field_that_nobody_used_is_left_out()
    {
        var raw = "--b\r\nContent-Disposition: form-data; name=\"files\"; filename=\"\"\r\nContent-Type: application/octet-stream\r\n\r\n\r\n--b--\r\n";
        (await (await SendRaw(raw)).Text()).ShouldBe("[]");
    }

    [Fact]
    public async Task More_than_the_limit_is_too_large()
    {
        using var form = new MultipartFormDataContent { { new StreamContent(new Zeros(UploadSite.Limit)), "files", "big.bin" } };
        var request = new HttpRequestMessage(HttpMethod.Post, "/upload") { Content = form };
        request.Headers.ExpectContinue = true;
        await (await Site.Client.SendAsync(request, TestContext.Current.CancellationToken)).Problem(413, "too-large");
    }

    [Theory]
    [InlineData("--b\r\nContent-Disposition: form-data; name=\"files\"; filename=\"a\"\r\n\r\nhalf a fi")]
    [InlineData("--b\r\nContent-Disposition: form-data; name=\"note\"\r\n\r\nhalf")]
    [InlineData("--b\r\nContent-Disposition: form-data; na")]
    [InlineData("--b\r\nContent-Type: text/plain\r\n\r\nnameless\r\n--b--\r\n")]
    [InlineData("nothing of the kind")]
    public async Task A_broken_form_is_malformed(string raw) => await (await SendRaw(raw)).Problem(400, "malformed");

    [Fact]
    public async Task Only_multipart_is_taken() => await (await Site.Send(HttpMethod.Post, "/upload", TestSite.JsonBody("{}"))).Problem(415, "unsupported-media-type");

    private Task<HttpResponseMessage> SendRaw(string raw)
    {
        var content = new ByteArrayContent(Encoding.UTF8.GetBytes(raw));
        content.Headers.TryAddWithoutValidation("Content-Type", "multipart/form-data; boundary=b");
        return Site.Send(HttpMethod.Post, "/upload", content);
    }

    private sealed class Zeros(long length) : Stream
    {
        private long position;

        public override bool CanRead => true;

        public override bool CanSeek => false;

        public override bool CanWrite => false;

        public override long Length => length;

        public override long Position { get => position; set => throw new NotSupportedException(); }

        public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

        public override int Read(Span<byte> buffer)
        {
            var read = (int)Math.Min(buffer.Length, length - position);
            buffer[..read].Clear();
            position += read;
            return read;
        }

        public override void Flush()
        {
        }

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
    }
}
