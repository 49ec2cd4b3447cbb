using CaveComm.Api.Http;
using Microsoft.AspNetCore.Authorization;

namespace CaveComm.Api.Identity;

/// <summary>
/// What a stolen cookie or a browser that was left open must not do: sending the money elsewhere, having the letters about the account go
/// elsewhere, or making a key that outlives the session. The person has
/// to have signed in a short while ago. Tokens pass: a browser holds none, and who comes by one by password has just sent that.
/// </summary>
/// <param name="page">Where a browser goes on once the person has signed in anew.</param>
internal sealed class RecentSignIn(Func<HttpContext, string> page) : AuthorizationHandler<RecentSignIn>, IAuthorizationRequirement
{
    public static readonly TimeSpan Life = TimeSpan.FromMinutes(15);

    protected override Task HandleRequirementAsync(AuthorizationHandlerContext context, RecentSignIn requirement)
    {
        if (context.Resource is HttpContext http && Holds(http))
        {
            context.Succeed(requirement);
        }

        return Task.CompletedTask;
    }

    public static bool Holds(HttpContext http) => http.Caller() is { } caller
        && (caller.BrowserSignedInAt is not { } at || http.RequestServices.GetRequiredService<TimeProvider>().GetUtcNow() - at < Life);

    public IResult Refusal(HttpContext http) => Refusal(http, page(http));

    /// <param name="page">As for the whole: where the browser goes on.</param>
    public static IResult Refusal(HttpContext http, string page) => http.AnswersForm()
        ? new SeeOther(SignInEndpoints.LeadingTo(page))
        : Problems.Of("sign-in-too-old", $"This session is older than {Life.TotalMinutes} minutes. Sign in anew, and send it again.");
}
