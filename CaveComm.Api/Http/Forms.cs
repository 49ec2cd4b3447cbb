using CaveComm.Domain;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Http.HttpResults;

namespace CaveComm.Api.Http;

/// <summary>Reads a form's fields, once, within the limit.</summary>
internal static class Forms
{
    private const string NoFiles = "is a file, and this address takes none.";

    private static readonly FormOptions Limits = new()
    {
        ValueCountLimit = 2000,
        KeyLengthLimit = 2048,
        ValueLengthLimit = Bodies.FormLimit,
        BufferBodyLengthLimit = Bodies.FormLimit,
        MultipartBodyLengthLimit = Bodies.FormLimit,
        MemoryBufferThreshold = Bodies.FormLimit,
    };

    public static async Task<(IReadOnlyList<KeyValuePair<string, string>> Fields, ProblemHttpResult? Problem)> Read(HttpContext http, CancellationToken cancel)
    {
        if (http.Request.ContentLength > Bodies.FormLimit)
        {
            return ([], Problems.TooLarge(Bodies.FormLimit));
        }

        // The antiforgery check may have read it already; the feature keeps what it read.
        if (http.Features.Get<IFormFeature>() is not { Form: not null } and not LimitedForm)
        {
            if (http.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } size)
            {
                size.MaxRequestBodySize = Bodies.FormLimit;
            }

            http.Features.Set<IFormFeature>(new LimitedForm(http.Request));
        }

        try
        {
            var form = await http.Request.ReadFormAsync(cancel);
            // A browser sends an empty part for a file field that nobody used.
            var files = form.Files.Where(it => it.Length > 0).Select(it => it.Name).Distinct().ToList();
            return files is []
                ? ([.. form.SelectMany(it => it.Value, (it, value) => KeyValuePair.Create(it.Key, value ?? ""))], null)
                : ([], files.Aggregate(new Faults(), (faults, it) => faults.Add(it, NoFiles)).ToProblem());
        }
        catch (BadHttpRequestException bad) when (bad.StatusCode == StatusCodes.Status413PayloadTooLarge)
        {
            return ([], Problems.TooLarge(Bodies.FormLimit));
        }
        catch (InvalidDataException broken)
        {
            return ([], broken.Message.Contains("limit", StringComparison.OrdinalIgnoreCase)
                ? Problems.TooLarge(Bodies.FormLimit)
                : Problems.Malformed("The form cannot be read."));
        }
        catch (IOException error) when (error is not BadHttpRequestException && !http.RequestAborted.IsCancellationRequested)
        {
            return ([], Problems.Malformed("The form ends in the middle."));
        }
    }

    /// <summary>Told apart from the framework's own by its type: it has our limits.</summary>
    private sealed class LimitedForm(HttpRequest request) : FormFeature(request, Limits);
}
