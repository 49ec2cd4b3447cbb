using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using System.Text;
using CaveComm.Api.Http.Idempotency;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.WebUtilities;
using Microsoft.Net.Http.Headers;

namespace CaveComm.Api.Http;

/// <summary>One part of an upload.</summary>
public abstract record UploadPart(string Name)
{
    public sealed record Field(string Name, string Value) : UploadPart(Name);

    /// <param name="FileName">A label only: no folders, no control characters, at most 255 characters.</param>
    /// <param name="Content">Read it before the next part is asked for; it is not kept anywhere.</param>
    public sealed record File(string Name, string FileName, string MediaType, Stream Content) : UploadPart(Name);
}

/// <summary>What opening an upload gave: the upload, or the problem to answer with.</summary>
public sealed record UploadReading(MultipartUpload? Upload, ProblemHttpResult? Problem);

/// <summary>
/// A multipart form that is read part by part as it arrives, so that a file of any size goes to storage without ever being in memory.
/// Mark its endpoint with <see cref="Antiforgery.StreamsUpload{TBuilder}"/>.
/// </summary>
public sealed class MultipartUpload
{
    private const int FieldLimit = Bodies.FormLimit;
    private const int FileNameLimit = 255;

    private readonly MultipartReader _reader;
    private readonly BodyPrint? _print;
    private MultipartSection? _first;

    private MultipartUpload(MultipartReader reader, MultipartSection? first, BodyPrint? print) => (_reader, _first, _print) = (reader, first, print);

    /// <summary>
    /// Opens the request's multipart body. From a caller with a session cookie the first part must be the antiforgery token; it is
    /// checked here. Problems: 400, 413, 415.
    /// </summary>
    /// <param name="limit">Most bytes that the whole request may have.</param>
    public static async Task<UploadReading> Open(HttpContext http, long limit, CancellationToken cancel)
    {
        ArgumentNullException.ThrowIfNull(http);
        if (!Negotiation.IsMultipart(http.Request))
        {
            return new(null, Problems.Of("unsupported-media-type", "This address takes multipart/form-data."));
        }

        var boundary = HeaderUtilities.RemoveQuotes(MediaTypeHeaderValue.Parse(http.Request.ContentType).Boundary);
        if (!boundary.HasValue || boundary.Length is 0 or > 70)
        {
            return new(null, Problems.Malformed("The multipart form has no usable boundary."));
        }

        if (http.Request.ContentLength > limit)
        {
            return new(null, Problems.TooLarge(limit));
        }

        if (http.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } size)
        {
            size.MaxRequestBodySize = limit;
        }

        var reader = new MultipartReader(boundary.Value!, http.Request.Body) { HeadersCountLimit = 16, HeadersLengthLimit = 16 * 1024 };
        var first = await Next(reader, cancel);
        if (Antiforgery.IsNeeded(http) && await CheckToken(http, first, cancel) is { } problem)
        {
            return new(null, problem);
        }

        return new(new MultipartUpload(reader, first, http.Features.Get<BodyPrint>()), null);
    }

    /// <summary>The parts in the order in which they arrive. The antiforgery token and file fields that nobody used are left out.</summary>
    /// <exception cref="BadHttpRequestException">The form ends in the middle or is too large; it becomes a 400 or 413 by itself.</exception>
    public async IAsyncEnumerable<UploadPart> Parts([EnumeratorCancellation] CancellationToken cancel)
    {
        for (var section = _first; section is not null; section = await Next(_reader, cancel))
        {
            _first = null;
            switch (await Read(section, cancel))
            {
                case null or UploadPart.Field { Name: Antiforgery.FieldName }:
                    break;
                case UploadPart.File file when _print is not null:
                    await using (var printed = new PrintedStream(file.Content))
                    {
                        yield return file with { Content = printed };
                        _print.AddPart(file.Name, file.FileName, await printed.ReadToEnd(cancel));
                    }

                    break;
                case UploadPart.Field field when _print is not null:
                    _print.AddPart(field.Name, null, SHA256.HashData(Encoding.UTF8.GetBytes(field.Value)));
                    yield return field;
                    break;
                case { } part:
                    yield return part;
                    break;
            }
        }

        _print?.End();
    }

    private static Task<MultipartSection?> Next(MultipartReader reader, CancellationToken cancel) =>
        PartStream.Blame(new ValueTask<MultipartSection?>(reader.ReadNextSectionAsync(cancel)));

    private static async Task<ProblemHttpResult?> CheckToken(HttpContext http, MultipartSection? first, CancellationToken cancel)
    {
        if (!http.Request.Headers.ContainsKey(Antiforgery.HeaderName)
            && first is not null && await Read(first, cancel) is UploadPart.Field { Name: Antiforgery.FieldName } token)
        {
            // The framework's check looks at the header first, and so does not try to read the form.
            http.Request.Headers[Antiforgery.HeaderName] = token.Value;
        }

        return http.Request.Headers.ContainsKey(Antiforgery.HeaderName)
            ? await Antiforgery.Validate(http)
            : Problems.Of("antiforgery", $"The first part of this form must be {Antiforgery.FieldName}.");
    }

    /// <returns>Null for a part that says nothing: no name, or a file field that was left empty.</returns>
    private static async Task<UploadPart?> Read(MultipartSection section, CancellationToken cancel)
    {
        if (!ContentDispositionHeaderValue.TryParse(section.ContentDisposition, out var disposition)
            || !disposition.DispositionType.Equals("form-data", StringComparison.OrdinalIgnoreCase)
            || HeaderUtilities.RemoveQuotes(disposition.Name).Value is not { Length: > 0 } name)
        {
            throw new BadHttpRequestException("A part of the multipart form has no name.");
        }

        if (disposition.FileName.HasValue || disposition.FileNameStar.HasValue)
        {
            var sent = HeaderUtilities.RemoveQuotes(disposition.FileNameStar.HasValue ? disposition.FileNameStar : disposition.FileName).Value ?? "";
            return sent.Length == 0 ? null : new UploadPart.File(name, Label(sent), MediaType(section.ContentType), new PartStream(section.Body));
        }

        if (name.Contains('\0', StringComparison.Ordinal))
        {
            throw new BadHttpRequestException("The form holds a NUL character, which cannot be stored.");
        }

        return new UploadPart.Field(name, await Text(new PartStream(section.Body), cancel));
    }

    private static async Task<string> Text(Stream content, CancellationToken cancel)
    {
        using var whole = new MemoryStream();
        var buffer = new byte[4096];
        for (var read = await content.ReadAsync(buffer, cancel); read > 0; read = await content.ReadAsync(buffer, cancel))
        {
            if (whole.Length + read > FieldLimit)
            {
                throw new BadHttpRequestException("A field of the form is larger than 1 MiB.", StatusCodes.Status413PayloadTooLarge);
            }

            whole.Write(buffer, 0, read);
        }

        var text = Encoding.UTF8.GetString(whole.GetBuffer(), 0, (int)whole.Length);
        return text.Contains('\0', StringComparison.Ordinal)
            ? throw new BadHttpRequestException("The form holds a NUL character, which cannot be stored.")
            : text;
    }

    /// <summary>Some senders give a whole path, of their own system.</summary>
    private static string Label(string sent)
    {
        var last = sent[(sent.LastIndexOfAny(['/', '\\']) + 1)..];
        var clean = string.Concat(last.Where(it => !char.IsControl(it))).Trim();
        return clean is "" or "." or ".." ? "file" : clean.Length <= FileNameLimit ? clean : clean[^FileNameLimit..];
    }

    private static string MediaType(string? sent) =>
        MediaTypeHeaderValue.TryParse(sent, out var type) && type.MediaType is { HasValue: true, Length: <= 127 } known ? known.Value! : "application/octet-stream";
}
