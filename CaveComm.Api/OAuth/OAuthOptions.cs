using CaveComm.Domain.Identity;
using Microsoft.Extensions.Options;

namespace CaveComm.Api.OAuth;

/// <summary>Configuration section <c>OAuth</c>.</summary>
internal sealed class OAuthOptions
{
    /// <summary>Clients that the operator names in the configuration.</summary>
    public List<ConfiguredClient> Clients { get; set; } = [];

    /// <summary>Other services that take tokens of this office: addresses that clients may name as <c>resource</c>.</summary>
    public List<string> Resources { get; set; } = [];
}

internal sealed class ConfiguredClient
{
    public string ClientId { get; set; } = "";

    public string Name { get; set; } = "";

    /// <summary>For clients that can keep one: at least 32 random characters.</summary>
    public string? Secret { get; set; }

    public List<string> RedirectUris { get; set; } = [];

    /// <summary><c>authorization_code</c> and <c>refresh_token</c> when left out.</summary>
    public List<string> GrantTypes { get; set; } = [];

    public bool Public { get; set; }

    public bool Trusted { get; set; }

    /// <summary>All that it may have when left out.</summary>
    public List<string> Scopes { get; set; } = [];

    public List<string> Roles { get; set; } = [];

    public ClientFacts Facts() => ClientDefaults.Facts(Name is "" ? ClientId : Name, RedirectUris, GrantTypes, Public, Trusted, Scopes, Roles);
}

/// <summary>What a client is where it was not said.</summary>
internal static class ClientDefaults
{
    public static ClientFacts Facts(
        string name, IReadOnlyList<string>? redirectUris, IReadOnlyList<string>? grantTypes, bool isPublic, bool isTrusted, IReadOnlyList<string>? scopes, IReadOnlyList<string>? roles)
    {
        IEnumerable<string> may = scopes is { Count: > 0 } ? scopes.Distinct().Order(StringComparer.Ordinal)
            : isTrusted ? Scope.KnownToClients
            : Scope.Grantable.Union(Scope.AboutThePerson);
        return new ClientFacts(
            name.Trim(),
            [.. redirectUris ?? []],
            grantTypes is { Count: > 0 } ? [.. grantTypes.Distinct()] : [GrantType.Code, GrantType.Refresh],
            isPublic,
            isTrusted,
            string.Join(' ', may),
            [.. roles ?? []]);
    }
}

/// <summary>A client that is configured wrongly stops the start, with every fault.</summary>
internal sealed class OAuthOptionsCheck : IValidateOptions<OAuthOptions>
{
    private const int ShortestSecret = 32;

    public ValidateOptionsResult Validate(string? name, OAuthOptions options)
    {
        var faults = new List<string>();
        foreach (var (client, index) in options.Clients.Select((client, index) => (client, index)))
        {
            var place = $"OAuth:Clients:{index}";
            faults.AddRange(ClientDecider.Check(client.Facts()).ByField.SelectMany(it => it.Value, (it, fault) => $"{place}: {it.Key}: {fault}"));
            if (client.ClientId.Length is 0 or > 100 || !client.ClientId.All(it => char.IsAsciiLetterOrDigit(it) || it is '-' or '_' or '.'))
            {
                faults.Add($"{place}: ClientId: letters, digits, hyphens, underscores and dots, at most 100.");
            }

            if (client.Public != string.IsNullOrEmpty(client.Secret))
            {
                faults.Add($"{place}: Secret: a public client has none, any other one needs one.");
            }
            else if (client.Secret is { Length: < ShortestSecret and > 0 })
            {
                faults.Add($"{place}: Secret: at least {ShortestSecret} random characters; `openssl rand -base64 32` makes one.");
            }
        }

        faults.AddRange(options.Clients.GroupBy(it => it.ClientId).Where(it => it.Count() > 1 || it.Key == Identity.Tokens.OwnClient).Select(it => $"OAuth:Clients: the id {it.Key} is taken."));
        faults.AddRange(options.Resources.Where(it => !Uri.TryCreate(it, UriKind.Absolute, out var uri) || uri.Fragment.Length > 0).Select(it => $"OAuth:Resources: {it} is no absolute address without a fragment."));
        return faults is [] ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(faults);
    }
}
