using CaveComm.Tests.Flow;
using CaveComm.Tests.Support;
using Shouldly;

namespace CaveComm.Tests.OAuth;

/// <summary>Clients that others made, against the running product: what they cannot do, no app could.</summary>
/// <remarks>What each does stands in <c>Node/OAuth</c>; both check answers, signatures, nonces and issuers by themselves.</remarks>
public sealed class RealClientTests(OAuthNodeClients clients, OAuthOffice office) : IClassFixture<OAuthNodeClients>, IClassFixture<OAuthOffice>
{
    [Theory]
    [InlineData("oauth4webapi", "publicClient")]
    [InlineData("oauth4webapi", "clientWithSecret")]
    [InlineData("oauth4webapi", "machine")]
    [InlineData("openid-client", "publicClient")]
    [InlineData("openid-client", "clientWithSecret")]
    [InlineData("openid-client", "machine")]
    public async Task A_real_client_completes_its_flow(string library, string scenario)
    {
        Assert.SkipWhen(clients.Missing is not null, clients.Missing ?? "");
        var (code, said) = (await clients.Run(library, scenario, office))!.Value;
        code.ShouldBe(0, said);
    }
}

/// <summary>The product with clients in its configuration.</summary>
public sealed class OAuthOffice : IAsyncLifetime
{
    public const string Secret = "real-client-secret-real-client-secret-1234";

    public Office Office { get; } = new();

    public ValueTask InitializeAsync()
    {
        foreach (var (name, value) in new Dictionary<string, string?>
        {
            ["OAuth:Clients:0:ClientId"] = "spa",
            ["OAuth:Clients:0:Public"] = "true",
            ["OAuth:Clients:0:RedirectUris:0"] = "https://spa.example/callback",
            ["OAuth:Clients:1:ClientId"] = "web",
            ["OAuth:Clients:1:Secret"] = Secret,
            ["OAuth:Clients:1:Trusted"] = "true",
            ["OAuth:Clients:1:RedirectUris:0"] = "https://web.example/callback",
            ["OAuth:Clients:2:ClientId"] = "machine",
            ["OAuth:Clients:2:Secret"] = Secret,
            ["OAuth:Clients:2:GrantTypes:0"] = "client_credentials",
            ["OAuth:Clients:2:Roles:0"] = "auditor",
        })
        {
            Office.Extra[name] = value;
        }

        return Office.InitializeAsync();
    }

    public ValueTask DisposeAsync() => Office.DisposeAsync();
}

/// <summary><c>oauth4webapi</c> and <c>openid-client</c>.</summary>
public sealed class OAuthNodeClients() : NodeFolder("the real OAuth clients", "node-oauth/", "browser.mjs", "oauth4webapi.mjs", "openid-client.mjs")
{
    internal Task<(int Code, string Said)?> Run(string library, string scenario, OAuthOffice office) => Run("node", [$"{library}.mjs", scenario], new()
    {
        ["OFFICE_URL"] = office.Office.Url.GetLeftPart(UriPartial.Authority),
        ["OFFICE_USER"] = Office.Mira.Handle,
        ["OFFICE_PASSWORD"] = Office.Mira.Password,
        ["CLIENT_SECRET"] = OAuthOffice.Secret,
    });
}
