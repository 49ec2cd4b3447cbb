using CaveComm.Api.Http;
using Microsoft.Extensions.Primitives;

namespace CaveComm.Api.OAuth;

/// <summary>The parameters of a request, each at most once; an empty one counts as left out (RFC 6749, 3.1).</summary>
internal sealed class OAuthParameters
{
    private readonly Dictionary<string, string> values = new(StringComparer.Ordinal);

    private OAuthParameters(IEnumerable<KeyValuePair<string, string>> sent)
    {
        foreach (var (name, value) in sent)
        {
            if (!values.TryAdd(name, value))
            {
                Repeated.Add(name);
            }
        }
    }

    /// <summary>Names that came more than once: nobody can know which of the values is meant.</summary>
    public HashSet<string> Repeated { get; } = new(StringComparer.Ordinal);

    public string? this[string name] => values.GetValueOrDefault(name) is { Length: > 0 } value ? value : null;

    public static OAuthParameters Of(IEnumerable<KeyValuePair<string, StringValues>> query) => new(query.SelectMany(it => it.Value, (it, value) => KeyValuePair.Create(it.Key, value ?? "")));

    /// <summary>Reads the form of a request; nothing else is taken at the endpoints for clients (RFC 6749, 3.2).</summary>
    public static async Task<(OAuthParameters? Form, OAuthRefusal? Refusal)> Read(HttpContext http, CancellationToken cancel)
    {
        if (!http.Request.HasFormContentType)
        {
            return (null, OAuthRefusal.Request("Send application/x-www-form-urlencoded."));
        }

        var (fields, problem) = await Forms.Read(http, cancel);
        if (problem is not null)
        {
            return (null, OAuthRefusal.Request(problem.ProblemDetails.Detail ?? "The form cannot be read."));
        }

        var form = new OAuthParameters(fields);
        return form.Repeated.Count > 0 ? (null, OAuthRefusal.Request($"A parameter came more than once: {Printable(form.Repeated.First())}.")) : (form, null);
    }

    /// <summary>What may stand in a description (RFC 6749, 5.2): plain characters, without quotes and backslashes.</summary>
    public static string Printable(string text) =>
        new([.. text.Take(60).Select(it => it is >= ' ' and <= '~' and not ('"' or '\\') ? it : '?')]);
}

/// <summary>Why a client was refused, in the words of RFC 6749.</summary>
internal sealed record OAuthRefusal(string Error, string Description, int Status = StatusCodes.Status400BadRequest)
{
    public static OAuthRefusal Request(string description) => new("invalid_request", description);

    public static OAuthRefusal Grant(string description) => new("invalid_grant", description);

    public static OAuthRefusal Client(string description) => new("invalid_client", description, StatusCodes.Status401Unauthorized);

    public static OAuthRefusal Scope(string description) => new("invalid_scope", description);

    public static OAuthRefusal Target { get; } = new("invalid_target", "This resource is not known here, or is not the one that was agreed.");

    public IResult Answer(HttpContext http)
    {
        if (Status == StatusCodes.Status401Unauthorized)
        {
            http.Response.Headers.WWWAuthenticate = "Basic realm=\"CaveComm\"";
        }

        return TypedResults.Json(new Dictionary<string, string> { ["error"] = Error, ["error_description"] = Description }, Json.Options, statusCode: Status);
    }
}
