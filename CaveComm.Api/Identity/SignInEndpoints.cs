using CaveComm.Api.Http;
using CaveComm.Api.Http.Idempotency;
using CaveComm.Api.OAuth;
using CaveComm.Api.Pages;
using CaveComm.Domain;
using CaveComm.Domain.Identity;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Http.HttpResults;

namespace CaveComm.Api.Identity;

/// <param name="Code">Of the authenticator app, or a recovery code; only where a second factor is on.</param>
/// <param name="ReturnUrl">Where a form goes on to; a path of this site.</param>
/// <param name="Ticket">A form's, which asks for the code after the password was right: in its place.</param>
public sealed record SignInBody(string Username, string? Password = null, string? Code = null, string? ReturnUrl = null, string? Ticket = null) : IChecked
{
    public void Check(Faults faults)
    {
        ArgumentNullException.ThrowIfNull(faults);
        faults.Require(Password is not null || Ticket is not null, "password", "is required.");
    }
}

/// <summary>F9: a person signs in by a form and gets a session cookie; a program signs in by JSON and gets a bearer token.</summary>
internal static class SignInEndpoints
{
    public const string Path = "/freelancer/login";

    public static void Map(IEndpointRouteBuilder routes)
    {
        routes.MapGet(Path, ShowForm).WithName("ShowSignIn").ExcludeFromDescription();
        routes.MapPost(Path, SignIn).WithName("SignIn").KeepsNoAnswer("The answer is a secret: a token or a session.").NeedsFormToken().TakesBody<SignInBody>()
            .Produces<AccessTokenAnswer>().ProducesProblem(StatusCodes.Status401Unauthorized).ProducesProblem(StatusCodes.Status429TooManyRequests);
        routes.MapPost("/freelancer/logout", SignOut).WithName("SignOut").KeepsNoAnswer("A session ends once, however often it is asked.");
    }

    /// <summary>Only a path of our own: neither another site nor what a browser takes for one (<c>//host</c>, <c>/\host</c>), and nothing that a header cannot hold.</summary>
    public static string? LocalOnly(string? url) =>
        url is ['/', ..] && !(url.Length > 1 && url[1] is '/' or '\\') && url.All(it => it is > ' ' and <= '~') && Uri.TryCreate(url, UriKind.Relative, out _) ? url : null;

    /// <param name="page">A path of this site.</param>
    public static string LeadingTo(string page) => $"{Path}?returnUrl={Uri.EscapeDataString(page)}";

    public static string HomeOf(Caller caller) =>
        caller.Owns(caller.Handle) ? $"/freelancer/{caller.Handle}/inbox"
        : caller.IsAdmin ? "/admin"
        : caller.Roles.Contains(Role.Auditor) ? "/audit"
        : "/";

    private static async Task<IResult> ShowForm(HttpContext http, Authorizing authorizing, CancellationToken cancel, string? returnUrl = null)
    {
        await authorizing.LetFormsLead(http, LocalOnly(returnUrl), cancel);
        return http.Negotiate(
            new SignInDescription(Path, "POST", ["username", "password", "code"]),
            page: _ => new RazorComponentResult<SignInPage>(new { ReturnUrl = LocalOnly(returnUrl), Notice = http.Caller() is null || returnUrl is null ? null : "For this, please sign in once more." }));
    }

    private static async Task<IResult> SignIn(
        HttpContext http, SignInDesk desk, KnownBrowsers browsers, Sessions sessions, Tokens tokens, Authorizing authorizing, CancellationToken cancel)
    {
        var isForm = http.AnswersForm();
        var reading = await http.ReadBody<SignInBody>(cancel);
        if (!reading.IsValid(out var body, out var problem))
        {
            return isForm && reading.Faults is { } faults ? Again(reading.Entered, faults, null, StatusCodes.Status422UnprocessableEntity) : problem;
        }

        var outcome = await desk.SignIn(http, body, cancel);
        if (outcome is not SignInOutcome.SignedIn { Caller: var caller })
        {
            await authorizing.LetFormsLead(http, LocalOnly(reading.Entered.GetValueOrDefault("returnUrl")), cancel);
            return NotSignedIn(http, outcome, isForm ? reading.Entered : null);
        }

        if (!isForm)
        {
            var begun = await sessions.StartProgram(http, caller, Tokens.OwnClient, cancel);
            return TypedResults.Json(tokens.Issue(begun.Record, caller.Roles, Scope.Everything, Tokens.Lifetime) with { refresh_token = begun.RefreshToken }, Json.Options);
        }

        browsers.Remember(http, caller.AccountId);
        await sessions.StartBrowser(http, caller, cancel);
        return new SeeOther(LocalOnly(body.ReturnUrl) ?? HomeOf(caller));
    }

    private static async Task<IResult> SignOut(HttpContext http, Sessions sessions, CancellationToken cancel)
    {
        if (http.Caller() is { SessionId: { } session, AccountId: var account })
        {
            await sessions.End(account, session, "signed out", cancel);
        }

        await http.SignOutAsync(Antiforgery.SessionScheme);
        return http.Done("/", TypedResults.NoContent());
    }

    /// <param name="entered">Set for a form, which is shown again.</param>
    private static IResult NotSignedIn(HttpContext http, SignInOutcome outcome, IReadOnlyDictionary<string, string>? entered)
    {
        if (outcome is SignInOutcome.TooMany over)
        {
            var problem = Problems.TooMany(http, "Too many wrong passwords or codes came from here or for this name. Wait a little; the right one is still taken.", over.RetryAfter);
            return entered is null ? problem : Again(entered, null, problem.ProblemDetails.Detail, problem.StatusCode, over.Ticket);
        }

        var refused = (SignInOutcome.Refused)outcome;
        var unauthorized = AccessAnswers.Unauthorized(http, refused.Code, refused.Detail);
        var isFault = refused.Code != SignInDesk.CodeNeeded; // The page asks for a code that is not sent yet in words of its own.
        return entered is null ? unauthorized : Again(entered, null, isFault ? refused.Detail : null, StatusCodes.Status401Unauthorized, refused.Ticket);
    }

    /// <param name="ticket">Set when only the code is missing.</param>
    private static RazorComponentResult<SignInPage> Again(IReadOnlyDictionary<string, string> entered, Faults? faults, string? message, int status, string? ticket = null) =>
        new(new { ReturnUrl = LocalOnly(entered.GetValueOrDefault("returnUrl")), Username = entered.GetValueOrDefault("username"), Faults = faults, Message = message, Ticket = ticket })
        {
            StatusCode = status,
        };
}

/// <summary>How to sign in, for a program that asks.</summary>
public sealed record SignInDescription(string Action, string Method, IReadOnlyList<string> Fields);
