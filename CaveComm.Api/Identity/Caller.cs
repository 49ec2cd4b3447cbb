using CaveComm.Api.Http;
using CaveComm.Domain.Identity;
using Microsoft.AspNetCore.Authentication;

namespace CaveComm.Api.Identity;

/// <summary>Who is asking, as the account stands now.</summary>
/// <param name="Handle">Null for an account without a shop.</param>
public sealed record Caller(Guid AccountId, string Username, string? Handle, IReadOnlySet<string> Roles)
{
    /// <summary>What the token, key or session that was sent may be used for.</summary>
    public IReadOnlySet<string> Scopes { get; init; } = Scope.Everything;

    /// <summary>The session that the cookie or token belongs to; null for an API key.</summary>
    public Guid? SessionId { get; init; }

    /// <summary>When the person at this browser proved who they are; null for a token or key.</summary>
    public DateTimeOffset? BrowserSignedInAt { get; init; }

    /// <summary>The account's count of "all sessions are over": a session of a lower count is.</summary>
    public int SessionsGeneration { get; init; }

    /// <summary>Who did it, in an event's metadata.</summary>
    public string Actor => $"account:{AccountId:D}";

    public bool IsAdmin => Roles.Contains(Role.Admin);

    /// <summary>Whether this is the freelancer of that handle.</summary>
    public bool Owns(string? handle) => handle is not null && handle == Handle && Roles.Contains(Role.Freelancer);
}

public static class CallerOfRequest
{
    private static readonly object Key = new();

    /// <summary>Who is asking; null for somebody who is not signed in.</summary>
    public static Caller? Caller(this HttpContext http)
    {
        ArgumentNullException.ThrowIfNull(http);
        return http.Items.TryGetValue(Key, out var caller) ? (Caller?)caller : null;
    }

    /// <summary>Whether it is the browser's cookie that says who is asking.</summary>
    internal static bool HasSessionCookie(this HttpContext http) =>
        http.Features.Get<IAuthenticateResultFeature>()?.AuthenticateResult?.Ticket?.AuthenticationScheme == Antiforgery.SessionScheme;

    internal static void SetCaller(this HttpContext http, Caller caller) => http.Items[Key] = caller;
}
