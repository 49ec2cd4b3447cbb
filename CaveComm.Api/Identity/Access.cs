using CaveComm.Api.Http;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Authorization.Policy;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.Net.Http.Headers;

namespace CaveComm.Api.Identity;

/// <summary>Who may call an endpoint.</summary>
public static class Access
{
    /// <summary>Only the freelancer whose handle is the route's <c>freelancer</c>; to everybody else, administrators included, there is nothing here (404).</summary>
    public static TBuilder RequireFreelancer<TBuilder>(this TBuilder builder)
        where TBuilder : IEndpointConventionBuilder => builder.RequireAuthorization(policy => policy.RequireAuthenticatedUser().AddRequirements(new OwnShop()));

    /// <summary>The freelancer whose handle is the route's <c>freelancer</c>, and administrators; to everybody else there is nothing here (404).</summary>
    public static TBuilder RequireFreelancerOrAdmin<TBuilder>(this TBuilder builder)
        where TBuilder : IEndpointConventionBuilder => builder.RequireAuthorization(policy => policy.RequireAuthenticatedUser().AddRequirements(new OwnShopOrAdmin()));

    /// <summary>Only who has one of these roles now; others get 403.</summary>
    public static TBuilder RequireRole<TBuilder>(this TBuilder builder, params string[] roles)
        where TBuilder : IEndpointConventionBuilder => builder.RequireAuthorization(policy => policy.RequireAuthenticatedUser().AddRequirements(new HasRole(roles)));

    /// <summary>Anybody who is signed in.</summary>
    public static TBuilder RequireSignIn<TBuilder>(this TBuilder builder)
        where TBuilder : IEndpointConventionBuilder => builder.RequireAuthorization(policy => policy.RequireAuthenticatedUser());

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
            var refusal = policy.Requirements.OfType<Access.HasRole>().FirstOrDefault() is { } needed
                ? Problems.Of("forbidden", $"This needs the role {string.Join(" or ", needed.Roles)}.")
                : Problems.Missing();
            await refusal.ExecuteAsync(context);
        }
    }

    private static IResult SignInFirst(HttpContext http)
    {
        var request = http.Request;
        if ((HttpMethods.IsGet(request.Method) || HttpMethods.IsHead(request.Method)) && http.WantsHtml())
        {
            return new SeeOther($"{SignInEndpoints.Path}?returnUrl={Uri.EscapeDataString(request.Path + request.QueryString)}");
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
