using Microsoft.AspNetCore.Antiforgery;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Http.HttpResults;

namespace CaveComm.Api.Http;

/// <summary>
/// Guards callers with a session cookie, and the forms that make one, against forms that another site submits for them. Bearer and
/// anonymous callers carry nothing that a browser would add by itself, so they need no token.
/// </summary>
public static class Antiforgery
{
    public const string FieldName = "__RequestVerificationToken";
    public const string HeaderName = "RequestVerificationToken";

    /// <summary>The authentication scheme of the session cookie.</summary>
    public const string SessionScheme = "session";

    /// <summary>The token for a form on the page being made; sets its cookie.</summary>
    public static string FormToken(this HttpContext http)
    {
        ArgumentNullException.ThrowIfNull(http);
        return http.RequestServices.GetRequiredService<IAntiforgery>().GetAndStoreTokens(http).RequestToken!;
    }

    /// <summary>Forms sent here need the token from anonymous callers too (sign-in, registration).</summary>
    public static TBuilder NeedsFormToken<TBuilder>(this TBuilder builder)
        where TBuilder : IEndpointConventionBuilder => builder.WithMetadata(NeedsToken.FromForms);

    /// <summary>A multipart form is streamed here: <see cref="MultipartUpload"/> checks the token, its first part, before it reads the files.</summary>
    /// <param name="limit">Most bytes that an upload may have here.</param>
    public static TBuilder StreamsUpload<TBuilder>(this TBuilder builder, long limit = Bodies.FormLimit)
        where TBuilder : IEndpointConventionBuilder => builder.WithMetadata(new StreamedUpload(limit));

    internal static async Task Guard(HttpContext http, RequestDelegate next)
    {
        if (await Check(http) is { } problem)
        {
            await problem.ExecuteAsync(http);
            return;
        }

        await next(http);
    }

    internal static bool IsNeeded(HttpContext http) =>
        http.Features.Get<IAuthenticateResultFeature>()?.AuthenticateResult?.Ticket?.AuthenticationScheme == SessionScheme
        || (http.Request.HasFormContentType && http.GetEndpoint()?.Metadata.GetMetadata<NeedsToken>() is not null);

    /// <summary>Most bytes of an upload that is streamed at this address; null where none is.</summary>
    internal static long? UploadLimit(HttpContext http) => http.GetEndpoint()?.Metadata.GetMetadata<StreamedUpload>()?.Limit;

    internal static async Task<ProblemHttpResult?> Validate(HttpContext http) =>
        await http.RequestServices.GetRequiredService<IAntiforgery>().IsRequestValidAsync(http)
            ? null
            : Problems.Of("antiforgery", $"The form's {FieldName} is missing or has expired. Open the form again and send it once more.");

    private static async Task<ProblemHttpResult?> Check(HttpContext http)
    {
        var request = http.Request;
        var isSafe = HttpMethods.IsGet(request.Method) || HttpMethods.IsHead(request.Method) || HttpMethods.IsOptions(request.Method) || HttpMethods.IsTrace(request.Method);
        if (isSafe || !IsNeeded(http)
            || (Negotiation.IsMultipart(request) && UploadLimit(http) is not null))
        {
            return null;
        }

        if (request.HasFormContentType && !request.Headers.ContainsKey(HeaderName))
        {
            // Read it here, within our limits; the check then finds it read.
            var (_, problem) = await Forms.Read(http, http.RequestAborted);
            if (problem is not null)
            {
                return problem;
            }
        }

        return await Validate(http);
    }

    private sealed class NeedsToken
    {
        public static readonly NeedsToken FromForms = new();
    }

    private sealed record StreamedUpload(long Limit);
}
