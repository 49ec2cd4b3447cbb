using System.Globalization;
using CaveComm.Api.Identity;
using CaveComm.Domain.Identity;
using Microsoft.AspNetCore.WebUtilities;
using Microsoft.Extensions.Options;

namespace CaveComm.Api.OAuth;

/// <summary>What a client asks a person for.</summary>
/// <param name="Audience">Who is to take the tokens.</param>
/// <param name="SignedInSince">The person must have signed in then or later; null when it does not matter.</param>
internal sealed record AuthorizeRequest(
    OAuthClient Client,
    string RedirectUri,
    string? State,
    IReadOnlyList<string> Scopes,
    string Audience,
    string Challenge,
    string? Nonce,
    IReadOnlySet<string> Prompt,
    long? MaxAge,
    DateTimeOffset? SignedInSince);

/// <summary>What reading such a request gave: itself, or where its fault is told.</summary>
internal abstract record AuthorizeReading
{
    private AuthorizeReading() { }

    public sealed record Good(AuthorizeRequest Request) : AuthorizeReading;

    /// <summary>To the client, at an address that is certainly its own.</summary>
    public sealed record Back(string RedirectUri, string? State, string Error, string Description) : AuthorizeReading;

    /// <summary>To the person, since nobody knows whose the address is that was given.</summary>
    public sealed record Shown(string Detail) : AuthorizeReading;
}

/// <summary>Reads requests for authorization.</summary>
internal sealed class AuthorizeReader(OAuthClients clients, IOptions<OAuthOptions> options, Tokens tokens)
{
    /// <summary>Our own mark in the address to which the sign-in page returns.</summary>
    public const string SinceParameter = "signed_in_since";

    private const int ChallengeLength = 43; // 256 bits in base64url.
    private const int LongestNonce = 500;

    private static readonly string[] Prompts = ["none", "login", "consent", "select_account"];

    public async Task<AuthorizeReading> Read(string query, CancellationToken cancel)
    {
        var sent = OAuthParameters.Of(QueryHelpers.ParseQuery(query));
        if (sent.Repeated.Contains("client_id") || sent["client_id"] is not { } id || await clients.Find(id, cancel) is not { } client || !client.May(GrantType.Code))
        {
            return new AuthorizeReading.Shown("The app that sent you here is not known to this office.");
        }

        if (sent.Repeated.Contains("redirect_uri") || sent["redirect_uri"] is not { } redirectUri || !client.TakesCodesAt(redirectUri))
        {
            return new AuthorizeReading.Shown($"{client.Facts.Name} sent you here with a return address that is not registered for it.");
        }

        var state = sent["state"];
        return Refused(sent, client) is { } refused
            ? new AuthorizeReading.Back(redirectUri, sent.Repeated.Contains("state") ? null : state, refused.Error, refused.Description)
            : new AuthorizeReading.Good(new AuthorizeRequest(
                client, redirectUri, state, Scopes(sent, client), AudienceOf(sent["resource"])!, sent["code_challenge"]!, sent["nonce"], Prompt(sent), Number(sent["max_age"]),
                Number(sent[SinceParameter]) is { } since and < 100_000_000_000 ? DateTimeOffset.FromUnixTimeSeconds(since) : null));
    }

    /// <summary>Who is meant by a <c>resource</c> (RFC 8707); null when nobody here knows it.</summary>
    public string? AudienceOf(string? resource) =>
        resource is null ? Tokens.Audience
        : resource.TrimEnd('/') == tokens.Issuer ? tokens.Issuer
        : options.Value.Resources.FirstOrDefault(it => it == resource);

    private OAuthRefusal? Refused(OAuthParameters sent, OAuthClient client)
    {
        if (sent.Repeated.FirstOrDefault() is { } repeated)
        {
            return repeated == "resource" ? OAuthRefusal.Target : OAuthRefusal.Request($"A parameter came more than once: {OAuthParameters.Printable(repeated)}.");
        }

        if (sent["request"] is not null)
        {
            return new("request_not_supported", "Send the parameters one by one.");
        }

        if (sent["request_uri"] is not null)
        {
            return new("request_uri_not_supported", "Send the parameters one by one.");
        }

        if (sent["response_type"] != "code")
        {
            return sent["response_type"] is null ? OAuthRefusal.Request("response_type is missing.") : new("unsupported_response_type", "Only code is supported.");
        }

        if (sent["response_mode"] is not (null or "query"))
        {
            return OAuthRefusal.Request("Only the response_mode query is supported.");
        }

        if (sent["code_challenge"] is not { Length: ChallengeLength } challenge || !challenge.All(it => char.IsAsciiLetterOrDigit(it) || it is '-' or '_'))
        {
            return OAuthRefusal.Request("code_challenge is missing or is no SHA-256 in base64url: PKCE is required.");
        }

        if (sent["code_challenge_method"] != "S256")
        {
            return OAuthRefusal.Request("Only the code_challenge_method S256 is supported.");
        }

        var scopes = Scopes(sent, client);
        var may = Scope.Read(client.Facts.Scope);
        if (scopes.Count == 0 || scopes.FirstOrDefault(it => !may.Contains(it)) is not null)
        {
            return OAuthRefusal.Scope($"This client may ask for: {client.Facts.Scope}.");
        }

        var prompt = Prompt(sent);
        return AudienceOf(sent["resource"]) is null ? OAuthRefusal.Target
            : !prompt.IsSubsetOf(Prompts) || (prompt.Contains("none") && prompt.Count > 1) ? OAuthRefusal.Request("prompt is none, or some of login, consent, select_account.")
            : sent["max_age"] is not null && Number(sent["max_age"]) is null ? OAuthRefusal.Request("max_age is a number of seconds.")
            : sent["nonce"]?.Length > LongestNonce ? OAuthRefusal.Request($"nonce has at most {LongestNonce} characters.")
            : null;
    }

    /// <summary>A client that does not say gets what it may have of the four scopes for working with commissions.</summary>
    private static IReadOnlyList<string> Scopes(OAuthParameters sent, OAuthClient client) => sent["scope"] is { } asked
        ? [.. Scope.Read(asked)]
        : [.. Scope.Read(client.Facts.Scope).Intersect(Scope.Grantable)];

    private static HashSet<string> Prompt(OAuthParameters sent) => [.. (sent["prompt"] ?? "").Split(' ', StringSplitOptions.RemoveEmptyEntries)];

    private static long? Number(string? text) => uint.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : null;
}
