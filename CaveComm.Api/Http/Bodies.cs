using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using System.Text.Json.Nodes;
using CaveComm.Domain;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Http.Metadata;
using Microsoft.Net.Http.Headers;

namespace CaveComm.Api.Http;

/// <summary>What reading a body gave: the value, or the problem to answer with.</summary>
/// <param name="Faults">Set with a 422, so that a form can be shown again with its faults at the fields.</param>
/// <param name="Entered">A form's fields as they were typed; empty for JSON.</param>
public sealed record BodyReading<T>(T? Value, ProblemHttpResult? Problem, Faults? Faults, IReadOnlyDictionary<string, string> Entered)
    where T : class
{
    /// <summary>The value; with faults in its shape, what is left of it without the members at fault, so that all its faults can be told at once. Null when nothing can be read.</summary>
    public T? Readable { get; init; } = Value;

    /// <summary>Whether there is a value; otherwise answer with the problem.</summary>
    public bool IsValid([NotNullWhen(true)] out T? value, [NotNullWhen(false)] out ProblemHttpResult? problem)
    {
        (value, problem) = (Value, Problem);
        return Problem is null;
    }
}

/// <summary>Reads JSON and forms into the same record, by the same rules.</summary>
public static class Bodies
{
    public const int JsonLimit = 256 * 1024;
    public const int FormLimit = 1024 * 1024;

    private static readonly Dictionary<string, string> NothingEntered = [];

    /// <summary>
    /// Reads the body as <typeparamref name="T"/>: JSON up to 256 KiB, a form's fields up to 1 MiB, no body as <c>{}</c>. Problems: 400 malformed,
    /// 413, 415, and 422 with every fault at once (including those that an <see cref="IChecked"/> body finds in itself).
    /// </summary>
    public static async Task<BodyReading<T>> ReadBody<T>(this HttpContext http, CancellationToken cancel)
        where T : class
    {
        ArgumentNullException.ThrowIfNull(http);
        var request = http.Request;
        if (request.HasFormContentType)
        {
            var (fields, problem) = await Forms.Read(http, cancel);
            return problem is not null ? Refused<T>(problem) : FromForm<T>(fields);
        }

        if (!IsEmpty(request) && !IsJson(request.ContentType))
        {
            return Refused<T>(Problems.Of("unsupported-media-type",
                $"This address takes application/json or a form, not {request.ContentType ?? "a body without a content type"}."));
        }

        try
        {
            var bytes = await BoundedBody.Read(request, JsonLimit, cancel);
            return bytes is null ? Refused<T>(Problems.TooLarge(JsonLimit))
                : bytes.Length == 0 ? Fit<T>(new JsonObject(), NothingEntered)
                : JsonText.Parse(bytes, out var node) is { } fault ? Refused<T>(Problems.Malformed(fault))
                : Fit<T>(node, NothingEntered);
        }
        catch (BadHttpRequestException bad) when (bad.StatusCode == StatusCodes.Status413PayloadTooLarge)
        {
            return Refused<T>(Problems.TooLarge(JsonLimit));
        }
    }

    /// <summary>Reads form fields that came another way, such as the fields of a <see cref="MultipartUpload"/>.</summary>
    public static BodyReading<T> FromFields<T>(IEnumerable<KeyValuePair<string, string>> fields)
        where T : class => FromForm<T>([.. fields]);

    /// <summary>Describes the body for OpenAPI: JSON or form.</summary>
    public static TBuilder TakesBody<TBuilder, T>(this TBuilder builder, bool multipart = false)
        where TBuilder : IEndpointConventionBuilder
        where T : class => builder.WithMetadata(new DescribedBody(typeof(T), multipart));

    /// <summary>As above, for the usual builder.</summary>
    public static RouteHandlerBuilder TakesBody<T>(this RouteHandlerBuilder builder, bool multipart = false)
        where T : class => builder.TakesBody<RouteHandlerBuilder, T>(multipart);

    internal static string Explain(JsonException error) => error.LineNumber is { } line
        ? $"The JSON cannot be read at line {line + 1}, byte {error.BytePositionInLine + 1}."
        : "The JSON cannot be read.";

    private static BodyReading<T> FromForm<T>(IReadOnlyList<KeyValuePair<string, string>> fields)
        where T : class
    {
        var sent = fields.Where(it => it.Key != Antiforgery.FieldName).ToList();
        var entered = new Dictionary<string, string>(StringComparer.Ordinal);
        sent.ForEach(it => entered[it.Key] = it.Value);
        return FormJson.Build(sent, Json.Options.GetTypeInfo(typeof(T)), out var node) is { } fault
            ? Refused<T>(Problems.Malformed(fault))
            : Fit<T>(node, entered);
    }

    private static BodyReading<T> Fit<T>(JsonNode? node, IReadOnlyDictionary<string, string> entered)
        where T : class
    {
        var faults = new Faults();
        Shape.Check(node, Json.Options.GetTypeInfo(typeof(T)), faults);
        var value = faults.IsEmpty ? Deserialize<T>(node, faults) : null;
        (value as IChecked)?.Check(faults);
        return faults.IsEmpty && value is not null
            ? new BodyReading<T>(value, null, null, entered)
            : new BodyReading<T>(null, faults.ToProblem(), faults, entered) { Readable = value ?? Rest<T>(node, faults) };
    }

    private static T? Rest<T>(JsonNode? node, Faults faults)
        where T : class
    {
        if (node is not JsonObject body)
        {
            return null;
        }

        foreach (var member in faults.ByField.Keys.Select(Faults.Member))
        {
            body.Remove(member);
        }

        return Deserialize<T>(body, new Faults());
    }

    private static T? Deserialize<T>(JsonNode? node, Faults faults)
        where T : class
    {
        try
        {
            return node.Deserialize<T>(Json.Options);
        }
        catch (JsonException error)
        {
            // The shape fitted, so a converter of the record's own refused the content.
            faults.Add(error.Path?.TrimStart('$', '.') ?? "", error.InnerException is null ? error.Message : "cannot be read.");
            return null;
        }
    }

    private static BodyReading<T> Refused<T>(ProblemHttpResult problem)
        where T : class => new(null, problem, null, NothingEntered);

    private static bool IsEmpty(HttpRequest request) =>
        string.IsNullOrEmpty(request.ContentType) && (request.ContentLength ?? 0) == 0 && !request.Headers.ContainsKey(HeaderNames.TransferEncoding);

    private static bool IsJson(string? contentType) => MediaTypeHeaderValue.TryParse(contentType, out var type)
        && type.MediaType.StartsWith("application/", StringComparison.OrdinalIgnoreCase)
        && (type.SubType.Equals("json", StringComparison.OrdinalIgnoreCase) || type.Suffix.Equals("json", StringComparison.OrdinalIgnoreCase))
        && (!type.Charset.HasValue || type.Charset.Equals("utf-8", StringComparison.OrdinalIgnoreCase) || type.Charset.Equals("\"utf-8\"", StringComparison.OrdinalIgnoreCase));
}

/// <summary>What an endpoint reads by <see cref="Bodies"/>. Not <see cref="IAcceptsMetadata"/>: routing would answer 415 on its own before the caller is known.</summary>
public sealed record DescribedBody(Type Type, bool Multipart);
