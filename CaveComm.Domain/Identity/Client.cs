using System.Collections.Immutable;
using System.Diagnostics;
using static CaveComm.Domain.Identity.ClientEvent;

namespace CaveComm.Domain.Identity;

/// <summary>What happened to an OAuth client that an administrator registered. Stored for ever: add, never edit. Its secret is not here, only SHA-256 of it.</summary>
public abstract record ClientEvent
{
    private ClientEvent() { }

    /// <param name="SecretDigest">Null for a client that can keep no secret.</param>
    public sealed record ClientRegistered(ClientFacts Facts, string? SecretDigest) : ClientEvent;

    /// <param name="Cause">Why, in words that an auditor understands.</param>
    public sealed record ClientRemoved(string Cause) : ClientEvent;
}

/// <summary>What an OAuth client is.</summary>
/// <param name="Name">What people are asked about when they let it in.</param>
/// <param name="RedirectUris">Where codes are sent to, to the letter.</param>
/// <param name="IsPublic">Runs where people can look into it, so it has no secret.</param>
/// <param name="IsTrusted">Belongs to the operator: people are not asked, and it may be given the scopes <c>account</c> and <c>admin</c>.</param>
/// <param name="Scope">The most it may be given: words with a space between.</param>
/// <param name="Roles">What it is when it acts as itself. Only <c>auditor</c>, which reads.</param>
public sealed record ClientFacts(
    string Name, ImmutableArray<string> RedirectUris, ImmutableArray<string> GrantTypes, bool IsPublic, bool IsTrusted, string Scope, ImmutableArray<string> Roles);

/// <summary>An OAuth client that an administrator registered.</summary>
public sealed record Client : IState<Client, ClientEvent>
{
    public static Client Initial { get; } = new();

    public ClientFacts? Facts { get; init; }

    public string? SecretDigest { get; init; }

    public bool IsRemoved { get; init; }

    public static Client Evolve(Client it, ClientEvent happened) => happened switch
    {
        ClientRegistered e => it with { Facts = e.Facts, SecretDigest = e.SecretDigest },
        ClientRemoved => it with { IsRemoved = true },
        _ => throw new UnreachableException($"Evolve does not know {happened.GetType().Name}."),
    };
}

/// <summary>What was done to the keys that tokens are signed with, by a person. Stored for ever: add, never edit.</summary>
public abstract record SigningKeyEvent
{
    private SigningKeyEvent() { }

    /// <param name="KeyId">The new key, as tokens name it.</param>
    /// <param name="SignsFrom">When it begins to sign.</param>
    /// <param name="Compromised">Whether the keys of before were thrown away at once, and with them every token they had signed.</param>
    /// <param name="Reason">Why, in the administrator's words.</param>
    public sealed record Rotated(string KeyId, DateTimeOffset SignsFrom, bool Compromised, string Reason) : SigningKeyEvent;
}
