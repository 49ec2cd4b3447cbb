using CaveComm.Domain.Identity;

namespace CaveComm.Api.Identity;

/// <summary>Who is asking, as the account stands now.</summary>
/// <param name="Handle">Null for an account without a shop.</param>
public sealed record Caller(Guid AccountId, string Username, string? Handle, IReadOnlySet<string> Roles)
{
    /// <summary>What the token, key or session that was sent may be used for.</summary>
    public IReadOnlySet<string> Scopes { get; init; } = Scope.Everything;

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

    internal static void SetCaller(this HttpContext http, Caller caller) => http.Items[Key] = caller;
}
