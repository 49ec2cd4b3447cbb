using CaveComm.Api.Http;
using CaveComm.Domain.Identity;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Authorization.Policy;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.Net.Http.Headers;

namespace CaveComm.Api.Identity;

/// <summary>Who may call an endpoint.</summary>
public static class Access
{
    /// <summary>Only the freelancer whose handle is the route's <c>freelancer</c>; to everybody else, administrators included, there is nothing here (404).</summary>
    /// <param name="scope">What a token has to be good for; null is reading commissions for safe methods, writing them for others.</param>
    public static TBuilder RequireFreelancer<TBuilder>(this TBuilder builder, string? scope = null)
        where TBuilder : IEndpointConventionBuilder => builder.Require(new OwnShop(), new HasScope(scope));

    /// <summary>The freelancer whose handle is the route's <c>freelancer</c>, and administrators; to everybody else there is nothing here (404).</summary>
    public static TBuilder RequireFreelancerOrAdmin<TBuilder>(this TBuilder builder)
        where TBuilder : IEndpointConventionBuilder => builder.Require(new OwnShopOrAdmin(), new HasScope(null));

    /// <summary>Only who has one of these roles now; others get 403.</summary>
    public static TBuilder RequireRole<TBuilder>(this TBuilder builder, params string[] roles)
        where TBuilder : IEndpointConventionBuilder => builder.Require(new HasRole(roles), new HasScope(roles.Contains(Role.Auditor) ? Scope.ReadAudit : Scope.Admin));

    /// <summary>Anybody who is signed in as a person, about the own account.</summary>
    public static TBuilder RequireSignIn<TBuilder>(this TBuilder builder)
        where TBuilder : IEndpointConventionBuilder => builder.Require(new HasScope(Scope.Account));

    /// <summary>Needs this scope too, beside what the group asks.</summary>
    public static TBuilder RequireScope<TBuilder>(this TBuilder builder, string scope)
        where TBuilder : IEndpointConventionBuilder => builder.Require(new HasScope(scope));

    /// <summary>In a browser, only shortly after the sign-in.</summary>
    /// <param name="page">Where the browser goes on once the person has signed in anew.</param>
    public static TBuilder RequireRecentSignIn<TBuilder>(this TBuilder builder, Func<HttpContext, string> page)
        where TBuilder : IEndpointConventionBuilder => builder.Require(new RecentSignIn(page));

    private static TBuilder Require<TBuilder>(this TBuilder builder, params IAuthorizationRequirement[] needed)
        where TBuilder : IEndpointConventionBuilder => builder.RequireAuthorization(policy => policy.RequireAuthenticatedUser().AddRequirements(needed));

    internal sealed class OwnShop : AuthorizationHandler<OwnShop>, IAuthorizationRequirement
    {
        protected override Task HandleRequirementAsync(AuthorizationHandlerContext context, OwnShop requirement)
        {
            if (context.Resource is HttpContext http && http.Caller()?.Owns(http.GetRouteValue("freelancer") as string) == true)
            {
                context.Succeed(requirement);
            }

            return Task.CompletedTask;
        }
    }

    internal sealed class OwnShopOrAdmin : AuthorizationHandler<OwnShopOrAdmin>, IAuthorizationRequirement
    {
        protected override Task HandleRequirementAsync(AuthorizationHandlerContext context, OwnShopOrAdmin requirement)
        {
            if (context.Resource is HttpContext http && http.Caller() is { } caller && (caller.IsAdmin || caller.Owns(http.GetRouteValue("freelancer") as string)))
            {
                context.Succeed(requirement);
            }

            return Task.CompletedTask;
        }
    }

    /// <summary>What was sent (token, key or session) is good for this.</summary>
    internal sealed class HasScope(string? scope) : AuthorizationHandler<HasScope>, IAuthorizationRequirement
    {
        public string For(string method) => scope ?? (HttpMethods.IsGet(method) || HttpMethods.IsHead(method) ? Scope.ReadCommissions : Scope.WriteCommissions);

        protected override Task HandleRequirementAsync(AuthorizationHandlerContext context, HasScope requirement)
        {
            if (context.Resource is HttpContext http && http.Caller() is { } caller && caller.Scopes.Contains(requirement.For(http.Request.Method)))
            {
                context.Succeed(requirement);
            }

            return Task.CompletedTask;
        }
    }

    internal sealed class HasRole(string[] roles) : AuthorizationHandler<HasRole>, IAuthorizationRequirement
    {
        public IReadOnlyList<string> Roles { get; } = roles;

        protected override Task HandleRequirementAsync(AuthorizationHandlerContext context, HasRole requirement)
        {
            if (context.Resource is HttpContext http && http.Caller() is { } caller && requirement.Roles.Any(caller.Roles.Contains))
            {
                context.Succeed(requirement);
            }

            return Task.CompletedTask;
        }
    }
}

/// <summary>Answers who may not: a browser is shown the way to the sign-in page, a program gets a problem document.</summary>
internal sealed class AccessAnswers : IAuthorizationMiddlewareResultHandler
{
    public async Task HandleAsync(RequestDelegate next, HttpContext context, AuthorizationPolicy policy, PolicyAuthorizationResult authorizeResult)
    {
        if (authorizeResult.Succeeded)
        {
            await next(context);
        }
        else if (authorizeResult.Challenged)
        {
            await SignInFirst(context).ExecuteAsync(context);
        }
        else
        {
            await Refusal(context, authorizeResult.AuthorizationFailure?.FailedRequirements.ToList() ?? []).ExecuteAsync(context);
        }
    }

    /// <summary>What belongs to somebody else is not there, whatever the token's scope; only then is the scope spoken of.</summary>
    private static IResult Refusal(HttpContext http, IReadOnlyList<IAuthorizationRequirement> failed)
    {
        if (http.Caller() is null)
        {
            return Problems.Of("not-registered", $"The token is good, and its person has no account here. Make one: POST {RegisterEndpoints.Path}.");
        }

        if (failed.Any(it => it is Access.OwnShop or Access.OwnShopOrAdmin))
        {
            return Problems.Missing();
        }

        if (failed.OfType<Access.HasRole>().FirstOrDefault() is { } needed)
        {
            return Problems.Of("forbidden", $"This needs the role {string.Join(" or ", needed.Roles)}.");
        }

        if (failed.OfType<Access.HasScope>().FirstOrDefault()?.For(http.Request.Method) is not { } scope)
        {
            return failed.OfType<RecentSignIn>().Single().Refusal(http);
        }

        http.Response.Headers.WWWAuthenticate = $"Bearer realm=\"CaveComm\", error=\"insufficient_scope\", scope=\"{scope}\"";
        return Problems.Of("insufficient-scope", $"This token or key is not good for this: it needs the scope {scope}.");
    }

    private static IResult SignInFirst(HttpContext http)
    {
        var request = http.Request;
        if ((HttpMethods.IsGet(request.Method) || HttpMethods.IsHead(request.Method)) && http.WantsHtml() && !http.RequestServices.GetRequiredService<ExternalIssuer>().IsOn)
        {
            return new SeeOther(SignInEndpoints.LeadingTo(request.Path + request.QueryString));
        }

        return Unauthorized(http, "sign-in-required", request.Headers.ContainsKey(HeaderNames.Authorization)
            ? "The bearer token is not valid, or no longer. Sign in again."
            : "Sign in first: send Authorization: Bearer with a token, or open the sign-in page.");
    }

    internal static ProblemHttpResult Unauthorized(HttpContext http, string code, string detail)
    {
        http.Response.Headers.WWWAuthenticate = http.Request.Headers.ContainsKey(HeaderNames.Authorization)
            ? "Bearer realm=\"CaveComm\", error=\"invalid_token\""
            : "Bearer realm=\"CaveComm\"";
        return Problems.Of(code, detail);
    }
}
