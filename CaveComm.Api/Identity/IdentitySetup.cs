using System.Security.Claims;
using CaveComm.Api.Http;
using CaveComm.Api.OAuth;
using CaveComm.Api.OwnAccount;
using CaveComm.Domain.Identity;
using Microsoft.AspNetCore.Authentication;
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
        services.AddSingleton<ExternalIssuer>();
        services.AddSingleton<ExternalAccounts>();
        services.AddAccounts();
        services.AddSingleton<Origins>();
        services.AddSingleton<Sessions>();
        services.AddCaveCommOAuth();
        services.AddSingleton<IAuthorizationMiddlewareResultHandler, AccessAnswers>();
        services.AddHostedService<DemoAccountsSetup>();
        services.AddAuthentication(EitherScheme)
            .AddPolicyScheme(EitherScheme, null, options => options.ForwardDefaultSelector = http =>
                ApiKeyScheme.IsFor(http) ? ApiKeyScheme.SchemeName
                : http.Request.Headers.ContainsKey("Authorization") || http.RequestServices.GetRequiredService<ExternalIssuer>().IsOn ? JwtBearerDefaults.AuthenticationScheme
                : Antiforgery.SessionScheme)
            .AddScheme<AuthenticationSchemeOptions, ApiKeyScheme>(ApiKeyScheme.SchemeName, null)
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
        services.AddOptions<JwtBearerOptions>(JwtBearerDefaults.AuthenticationScheme).Configure<ISigningKeys, IOptions<CaveCommOptions>, TimeProvider, ExternalIssuer>((options, keys, product, clock, issuer) =>
        {
            options.MapInboundClaims = false;
            if (issuer.IsOn)
            {
                issuer.Apply(options, clock);
                options.Events = new JwtBearerEvents { OnTokenValidated = context => KnowFromIssuer(context.HttpContext, context.Principal) };
                return;
            }

            options.TokenValidationParameters = Tokens.Validation(keys, product.Value, clock);
            options.Events = new JwtBearerEvents
            {
                OnTokenValidated = async context =>
                {
                    if (!await Know(context.HttpContext, context.Principal))
                    {
                        context.Fail("There is no such account, or the session is over.");
                    }
                },
            };
        });
        return services;
    }

    public static IEndpointRouteBuilder MapCaveCommIdentity(this IEndpointRouteBuilder routes)
    {
        SignInEndpoints.Map(routes.OnlyWithoutIssuer());
        routes.OnlyWithoutIssuer().MapCaveCommOAuth();
        if (routes.ServiceProvider.GetRequiredService<ExternalIssuer>().IsOn)
        {
            ExternalRegistration.Map(routes);
        }
        else
        {
            RegisterEndpoints.Map(routes);
        }

        RoleEndpoints.Map(routes);
        routes.MapAccounts();
        return routes;
    }

    /// <summary>Puts the caller beside the request, if the issuer's person has an account here: without one, there is nothing to do but to register.</summary>
    private static async Task KnowFromIssuer(HttpContext http, ClaimsPrincipal? principal)
    {
        if (await http.RequestServices.GetRequiredService<ExternalAccounts>().Find(principal, http.RequestAborted) is { } caller)
        {
            http.SetCaller(caller);
        }
    }

    /// <summary>Puts the caller beside the request, as account and session stand now; false when either is no more.</summary>
    private static async Task<bool> Know(HttpContext http, ClaimsPrincipal? principal)
    {
        var sessions = http.RequestServices.GetRequiredService<Sessions>();
        if (!Guid.TryParse(principal?.FindFirstValue("sid"), out var id)
            || await sessions.Find(id, http.RequestAborted) is not { } session
            || principal.FindFirstValue("sub") != Tokens.SubjectOf(session)
            || await sessions.CallerOf(session, http.RequestAborted) is not { } caller)
        {
            return false;
        }

        // A cookie is good for all that its session is; a token says itself for how much of it.
        http.SetCaller(principal.FindFirstValue("scope") is { } scope ? caller with { Scopes = caller.Scopes.Intersect(Scope.Read(scope)).ToHashSet() } : caller);
        return true;
    }
}
