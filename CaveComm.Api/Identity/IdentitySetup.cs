using System.Security.Claims;
using CaveComm.Api.Http;
using Microsoft.AspNetCore.Authentication.JwtBearer;
using Microsoft.AspNetCore.Authorization;
using Microsoft.Extensions.Options;

namespace CaveComm.Api.Identity;

/// <summary>Sign-in by session cookie or bearer token, put together.</summary>
public static class IdentitySetup
{
    private const string EitherScheme = "cavecomm";

    public static IServiceCollection AddCaveCommIdentity(this IServiceCollection services)
    {
        ArgumentNullException.ThrowIfNull(services);
        services.AddSingleton<Passwords>();
        services.AddSingleton<Accounts>();
        services.AddSingleton<ISigningKeys, FileSigningKeys>();
        services.AddSingleton<Tokens>();
        services.AddSingleton<AccountHandling>();
        services.AddSingleton<IAuthorizationMiddlewareResultHandler, AccessAnswers>();
        services.AddHostedService<DemoAccountsSetup>();
        services.AddAuthentication(EitherScheme)
            .AddPolicyScheme(EitherScheme, null, options => options.ForwardDefaultSelector = http =>
                http.Request.Headers.ContainsKey("Authorization") ? JwtBearerDefaults.AuthenticationScheme : Antiforgery.SessionScheme)
            .AddJwtBearer()
            .AddCookie(Antiforgery.SessionScheme, options =>
            {
                options.Cookie.Name = "cavecomm-session";
                options.Cookie.HttpOnly = true;
                options.Cookie.SameSite = SameSiteMode.Lax;
                options.Cookie.SecurePolicy = CookieSecurePolicy.SameAsRequest;
                options.Cookie.Path = "/";
                options.ExpireTimeSpan = TimeSpan.FromHours(12);
                options.SlidingExpiration = true;
                options.Events.OnValidatePrincipal = async context =>
                {
                    if (!await Know(context.HttpContext, context.Principal))
                    {
                        context.RejectPrincipal();
                    }
                };
            });
        services.AddOptions<JwtBearerOptions>(JwtBearerDefaults.AuthenticationScheme).Configure<ISigningKeys, IOptions<CaveCommOptions>, TimeProvider>((options, keys, product, clock) =>
        {
            options.MapInboundClaims = false;
            options.TokenValidationParameters = Tokens.Validation(keys, product.Value, clock);
            options.Events = new JwtBearerEvents
            {
                OnTokenValidated = async context =>
                {
                    if (!await Know(context.HttpContext, context.Principal))
                    {
                        context.Fail("There is no such account.");
                    }
                },
            };
        });
        return services;
    }

    public static IEndpointRouteBuilder MapCaveCommIdentity(this IEndpointRouteBuilder routes)
    {
        SignInEndpoints.Map(routes);
        RegisterEndpoints.Map(routes);
        RoleEndpoints.Map(routes);
        return routes;
    }

    /// <summary>Puts the account as it stands now beside the request; false when there is none.</summary>
    private static async Task<bool> Know(HttpContext http, ClaimsPrincipal? principal)
    {
        if (!Guid.TryParse(principal?.FindFirstValue("sub"), out var id)
            || await http.RequestServices.GetRequiredService<Accounts>().Find(id, http.RequestAborted) is not { } caller)
        {
            return false;
        }

        http.SetCaller(caller);
        return true;
    }
}
