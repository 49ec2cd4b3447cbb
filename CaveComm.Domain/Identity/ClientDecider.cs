using System.Diagnostics;
using static CaveComm.Domain.Identity.ClientCommand;
using static CaveComm.Domain.Identity.ClientEvent;
using Decision = CaveComm.Domain.Decision<CaveComm.Domain.Identity.ClientEvent>;

namespace CaveComm.Domain.Identity;

/// <summary>Everything that can be asked of an OAuth client.</summary>
public abstract record ClientCommand
{
    private ClientCommand() { }

    public sealed record Register(ClientFacts Facts, string? SecretDigest) : ClientCommand;

    public sealed record Remove(string Cause) : ClientCommand;
}

/// <summary>How a client comes by tokens.</summary>
public static class GrantType
{
    public const string Code = "authorization_code";
    public const string Refresh = "refresh_token";
    public const string Credentials = "client_credentials";

    public static IReadOnlyList<string> All { get; } = [Code, Refresh, Credentials];
}

/// <summary>The rules of an OAuth client.</summary>
public static class ClientDecider
{
    public const int MostRedirectUris = 20;
    public const int LongestRedirectUri = 2_000;

    public static Decision Decide(Client it, ClientCommand command) => (it.Facts, command) switch
    {
        (null, Register c) => Check(c.Facts) is { IsEmpty: false } faults ? faults.ToRefusal() : Decision.Record(new ClientRegistered(c.Facts, c.SecretDigest)),
        (_, Register) => Decision.Refuse(RefusalKind.Conflict, "exists-already", "A client with this id is registered already."),
        (null, _) => Decision.Refuse(RefusalKind.Missing, "no-such-client", "There is no such client."),
        (_, Remove c) => it.IsRemoved ? Decision.Nothing : Decision.Record(new ClientRemoved(c.Cause)),
        _ => throw new UnreachableException($"Decide does not know {command.GetType().Name}."),
    };

    /// <summary>Every fault at once, for those that the configuration names as well.</summary>
    public static Faults Check(ClientFacts facts)
    {
        ArgumentNullException.ThrowIfNull(facts);
        var faults = new Faults();
        faults.RequireLine("name", facts.Name, 100);
        faults.Require(facts.GrantTypes.Length > 0 && facts.GrantTypes.All(GrantType.All.Contains), "grantTypes", $"Some of {string.Join(", ", GrantType.All)}.");
        faults.Require(facts.GrantTypes.Contains(GrantType.Code) == facts.RedirectUris.Length > 0, "redirectUris", "A client with authorization_code needs at least one, others have none.");
        faults.Require(!facts.GrantTypes.Contains(GrantType.Refresh) || facts.GrantTypes.Contains(GrantType.Code), "grantTypes", "refresh_token goes with authorization_code.");
        faults.Require(!facts.IsPublic || !facts.GrantTypes.Contains(GrantType.Credentials), "grantTypes", "A public client has no secret, so it cannot act as itself.");
        faults.Require(facts.RedirectUris.Length <= MostRedirectUris, "redirectUris", $"At most {MostRedirectUris}.");
        foreach (var uri in facts.RedirectUris)
        {
            faults.Require(IsRedirectUri(uri, facts.IsPublic), "redirectUris",
                "Each an absolute https address without a fragment; http on 127.0.0.1, [::1] or localhost alone; for public clients also a scheme of their own such as com.example.app:/back.");
        }

        var scopes = Scope.Read(facts.Scope);
        faults.Require(scopes.All(Scope.KnownToClients.Contains), "scopes", $"Some of {string.Join(", ", Scope.KnownToClients)}.");
        faults.Require(facts.IsTrusted || (!scopes.Contains(Scope.Account) && !scopes.Contains(Scope.Admin)), "scopes", "Only a trusted client may have account and admin.");
        faults.Require(facts.Roles.All(it => it == Role.Auditor), "roles", "A client that acts as itself can be an auditor and nothing else.");
        faults.Require(facts.Roles.Length == 0 || facts.GrantTypes.Contains(GrantType.Credentials), "roles", "Only a client with client_credentials has roles of its own.");
        return faults;
    }

    private static bool IsRedirectUri(string uri, bool isPublic) =>
        uri.Length is > 0 and <= LongestRedirectUri && uri.All(it => it is > ' ' and <= '~' and not ('"' or '<' or '>' or '\\' or '#'))
        && Uri.TryCreate(uri, UriKind.Absolute, out var parsed) && parsed.UserInfo.Length == 0
        && (parsed.Scheme == Uri.UriSchemeHttps
            || (parsed.Scheme == Uri.UriSchemeHttp && parsed.IsLoopback)
            || (isPublic && parsed.Scheme.Contains('.', StringComparison.Ordinal)));
}
