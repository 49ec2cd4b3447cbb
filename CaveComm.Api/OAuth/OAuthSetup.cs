using Microsoft.Extensions.Options;

namespace CaveComm.Api.OAuth;

/// <summary>The authorization server, put together (OAuth 2.1 and OpenID Connect).</summary>
public static class OAuthSetup
{
    public static IServiceCollection AddCaveCommOAuth(this IServiceCollection services)
    {
        ArgumentNullException.ThrowIfNull(services);
        services.AddOptions<OAuthOptions>().BindConfiguration("OAuth").ValidateOnStart();
        services.AddSingleton<IValidateOptions<OAuthOptions>, OAuthOptionsCheck>();
        services.AddSingleton<OAuthClients>();
        services.AddSingleton<ClientAuthentication>();
        services.AddSingleton<AuthorizeReader>();
        services.AddSingleton<Authorizing>();
        services.AddSingleton<TokenGranting>();
        services.AddSingleton<TokenLookup>();
        services.AddSingleton<IdTokens>();
        return services;
    }

    public static IEndpointRouteBuilder MapCaveCommOAuth(this IEndpointRouteBuilder routes)
    {
        DiscoveryEndpoints.Map(routes);
        AuthorizeEndpoint.Map(routes);
        TokenEndpoint.Map(routes);
        RevocationEndpoints.Map(routes);
        ClientEndpoints.Map(routes);
        KeyEndpoints.Map(routes);
        return routes;
    }
}
