using CaveComm.Api.Http;
using CaveComm.Api.Http.Idempotency;
using CaveComm.Api.Identity;
using CaveComm.Domain.Identity;
using Microsoft.AspNetCore.Http.HttpResults;

namespace CaveComm.Api.OAuth;

/// <param name="Request">The client's request, as its query had it.</param>
/// <param name="Decision"><c>allow</c>, or anything else.</param>
public sealed record ConsentBody(string Request, string Decision);

/// <summary>Where a client sends a person to, and gets back a code (RFC 6749, 4.1, with PKCE; RFC 9207).</summary>
internal static class AuthorizeEndpoint
{
    public const string Path = "/oauth2/authorize";

    public static void Map(IEndpointRouteBuilder routes)
    {
        routes.MapGet(Path, Show).WithName("Authorize");
        routes.MapPost(Path, Decide).WithName("Consent").KeepsNoAnswer("The answer holds a code, which is a secret and good once.").NeedsFormToken().TakesBody<ConsentBody>();
    }

    private static async Task<IResult> Show(HttpContext http, Authorizing authorizing, CancellationToken cancel) =>
        // Whoever only looks ahead starts no session.
        HttpMethods.IsHead(http.Request.Method) ? TypedResults.NoContent() : await authorizing.Answer(http, http.Request.QueryString.Value ?? "", isAllowed: null, cancel);

    private static async Task<IResult> Decide(HttpContext http, Authorizing authorizing, CancellationToken cancel)
    {
        var reading = await http.ReadBody<ConsentBody>(cancel);
        return reading.IsValid(out var body, out var problem)
            ? await authorizing.Answer(http, body.Request, body.Decision == "allow", cancel)
            : problem;
    }
}

/// <summary>Answers requests for authorization: sign in first, ask the person, or hand out a code.</summary>
internal sealed class Authorizing(AuthorizeReader reader, Sessions sessions, Tokens tokens, TimeProvider clock)
{
    public static readonly TimeSpan CodeLife = TimeSpan.FromSeconds(60);

    /// <param name="isAllowed">What the person said to the question; null before it was asked.</param>
    public async Task<IResult> Answer(HttpContext http, string query, bool? isAllowed, CancellationToken cancel)
    {
        switch (await reader.Read(query, cancel))
        {
            case AuthorizeReading.Shown shown:
                return Problems.Of("authorization-refused", shown.Detail);
            case AuthorizeReading.Back back:
                return Back(back.RedirectUri, back.State, ("error", back.Error), ("error_description", back.Description));
            case AuthorizeReading.Good { Request: var request }:
                return await Answer(http, request, query, isAllowed, cancel);
            default:
                throw new System.Diagnostics.UnreachableException();
        }
    }

    /// <summary>
    /// A form's answer may lead on to the client, and browsers follow it only where the page with the form allows that: call this for a page whose
    /// form returns to <paramref name="returnUrl"/>.
    /// </summary>
    public async Task LetFormsLead(HttpContext http, string? returnUrl, CancellationToken cancel)
    {
        const string Start = AuthorizeEndpoint.Path + "?";
        if (returnUrl?.StartsWith(Start, StringComparison.Ordinal) == true && await reader.Read(returnUrl[(Start.Length - 1)..], cancel) is AuthorizeReading.Good { Request: var request })
        {
            LetFormsLead(http, request.RedirectUri);
        }
    }

    private async Task<IResult> Answer(HttpContext http, AuthorizeRequest request, string query, bool? isAllowed, CancellationToken cancel)
    {
        var caller = http.HasSessionCookie() ? http.Caller() : null;
        var session = caller?.SessionId is { } id ? await sessions.Find(id, cancel) : null;
        var now = clock.GetUtcNow();

        // Asked of the database: what begins here outlives the second for which a request believes that a session stands.
        var stands = session is not null && (await sessions.Load(session.SessionId, cancel)).IsAlive(now);
        if (caller is null || session is null || !stands || !IsRecent(session, request, now))
        {
            return request.Prompt.Contains("none")
                ? Refused(request, "login_required", "Nobody is signed in, or not recently enough.")
                : SignInFirst(query, now);
        }

        if (isAllowed == false)
        {
            return Refused(request, "access_denied", "The person said no.");
        }

        if (isAllowed != true && (!IsSureToBe(request.Client, request.RedirectUri) || request.Prompt.Contains("consent")))
        {
            if (request.Prompt.Contains("none"))
            {
                return Refused(request, "consent_required", "The person has to be asked.");
            }

            LetFormsLead(http, request.RedirectUri);
            return new RazorComponentResult<ConsentPage>(new { App = request.Client.Facts.Name, request.Scopes, request.RedirectUri, Query = query, Who = caller });
        }

        var client = Guid.CreateVersion7(now);
        var (code, digest) = SessionSecret.Make(client);
        var facts = sessions.Facts(http, caller, SessionKind.Client, request.Client.Id, request.Scopes, request.Audience, session.SignedInAt, now + Sessions.ClientLife);
        await sessions.Begin(client, new SessionCommand.Begin(facts, new(digest, request.RedirectUri, request.Challenge, request.Nonce, now + CodeLife)), cancel);
        return Back(request.RedirectUri, request.State, ("code", code));
    }

    /// <summary>
    /// Whether it is certainly the operator's client that gets the code, so that nobody need be asked. Of a public one only its https address says so: any
    /// program on the person's device can take its name and listen on a loopback port or a scheme (RFC 8252, 8.6).
    /// </summary>
    private static bool IsSureToBe(OAuthClient client, string redirectUri) =>
        client.Facts.IsTrusted && (!client.Facts.IsPublic || redirectUri.StartsWith("https://", StringComparison.OrdinalIgnoreCase));

    /// <summary>Whether the sign-in is as fresh as the client wants it.</summary>
    private static bool IsRecent(SessionRecord session, AuthorizeRequest request, DateTimeOffset now) => request.SignedInSince is { } since
        ? session.SignedInAt >= since
        : !request.Prompt.Contains("login") && !request.Prompt.Contains("select_account") && (request.MaxAge is not { } most || now - session.SignedInAt < TimeSpan.FromSeconds(most));

    /// <summary>The sign-in page returns here; a sign-in from now on is fresh enough, so that nobody goes round in circles.</summary>
    private static SeeOther SignInFirst(string query, DateTimeOffset now)
    {
        var rest = string.Join('&', query.TrimStart('?').Split('&').Where(it => !it.StartsWith($"{AuthorizeReader.SinceParameter}=", StringComparison.Ordinal)));
        return new($"{SignInEndpoints.Path}?returnUrl={Uri.EscapeDataString($"{AuthorizeEndpoint.Path}?{rest}&{AuthorizeReader.SinceParameter}={now.ToUnixTimeSeconds()}")}");
    }

    private SeeOther Refused(AuthorizeRequest request, string error, string description) =>
        Back(request.RedirectUri, request.State, ("error", error), ("error_description", description));

    /// <summary>To the client. Every value is escaped, so none can end the address or begin a header.</summary>
    private SeeOther Back(string redirectUri, string? state, params (string Name, string Value)[] answer)
    {
        var all = answer.Append(("iss", tokens.Issuer));
        var query = string.Join('&', (state is null ? all : all.Append(("state", state))).Select(it => $"{it.Item1}={Uri.EscapeDataString(it.Item2)}"));
        return new($"{redirectUri}{(redirectUri.Contains('?', StringComparison.Ordinal) ? '&' : '?')}{query}");
    }

    private static void LetFormsLead(HttpContext http, string redirectUri)
    {
        var uri = new Uri(redirectUri);
        var isWeb = uri.Scheme == Uri.UriSchemeHttps || uri.Scheme == Uri.UriSchemeHttp;
        // The policy's grammar has no IPv6 addresses.
        var target = isWeb && uri.HostNameType != UriHostNameType.IPv6 ? uri.GetLeftPart(UriPartial.Authority) : $"{uri.Scheme}:";
        http.Response.Headers.ContentSecurityPolicy = SecurityHeaders.ContentPolicy.Replace("form-action 'self'", $"form-action 'self' {target}", StringComparison.Ordinal);
    }
}
