using CaveComm.Api.Identity;

namespace CaveComm.Api.OwnAccount;

/// <summary>What people do with their own account, put together.</summary>
internal static class OwnAccountSetup
{
    public static IServiceCollection AddAccounts(this IServiceCollection services)
    {
        services.AddSingleton<GuessLimits>();
        services.AddSingleton<HashingLanes>();
        services.AddSingleton<KnownBrowsers>();
        services.AddSingleton<RefusedSignIns>();
        services.AddSingleton<SecondFactors>();
        services.AddSingleton<SignInDesk>();
        services.AddSingleton<AccountLinks>();
        services.AddScoped<AccountChanges>();
        services.AddScoped<Invitations>();
        return services;
    }

    public static void MapAccounts(this IEndpointRouteBuilder routes)
    {
        var local = routes.OnlyWithoutIssuer();
        OverviewEndpoints.Map(routes);
        PasswordEndpoints.Map(local);
        PasswordResetEndpoints.Map(local);
        SecondFactorEndpoints.Map(local);
        KeyEndpoints.Map(routes);
        SessionEndpoints.Map(local);
        InvitationEndpoints.Map(routes);
    }
}
