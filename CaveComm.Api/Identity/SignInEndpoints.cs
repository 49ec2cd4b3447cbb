using System.Security.Claims;
using CaveComm.Api.Http;
using CaveComm.Api.Http.Idempotency;
using CaveComm.Api.Pages;
using CaveComm.Domain;
using CaveComm.Domain.Identity;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Http.HttpResults;

namespace CaveComm.Api.Identity;

/// <param name="ReturnUrl">Where a form goes on to; a path of this site.</param>
public sealed record SignInBody(string Username, string Password, string? ReturnUrl = null);

/// <summary>F9: a person signs in by a form and gets a session cookie; a program signs in by JSON and gets a bearer token.</summary>
internal static class SignInEndpoints
{
    public const string Path = "/freelancer/login";

    public static void Map(IEndpointRouteBuilder routes)
    {
        routes.MapGet(Path, ShowForm).WithName("ShowSignIn").ExcludeFromDescription();
        routes.MapPost(Path, SignIn).WithName("SignIn").KeepsNoAnswer("The answer is a secret: a token or a session.").NeedsFormToken().TakesBody<SignInBody>()
            .Produces<AccessTokenAnswer>().ProducesProblem(StatusCodes.Status401Unauthorized);
        routes.MapPost("/freelancer/logout", SignOut).WithName("SignOut").KeepsNoAnswer("Nothing is stored: the browser forgets its cookie, again if need be.");
    }

    /// <summary>Starts a session: the cookie holds the account's id and nothing else.</summary>
    public static Task StartSession(HttpContext http, Guid account) => http.SignInAsync(
        Antiforgery.SessionScheme,
        new ClaimsPrincipal(new ClaimsIdentity([new Claim("sub", $"{account:D}")], Antiforgery.SessionScheme, "sub", "role")),
        new AuthenticationProperties { IsPersistent = true });

    /// <summary>Only a path of our own: neither another site nor what a browser takes for one (<c>//host</c>, <c>/\host</c>).</summary>
    public static string? LocalOnly(string? url) =>
        url is ['/', ..] && !(url.Length > 1 && url[1] is '/' or '\\') && !url.Any(char.IsControl) && Uri.TryCreate(url, UriKind.Relative, out _) ? url : null;

    public static string HomeOf(Caller caller) =>
        caller.Owns(caller.Handle) ? $"/freelancer/{caller.Handle}/inbox"
        : caller.IsAdmin ? "/admin"
        : caller.Roles.Contains(Role.Auditor) ? "/audit"
        : "/";

    private static IResult ShowForm(HttpContext http, string? returnUrl = null) => http.Negotiate(
        new SignInDescription(Path, "POST", ["username", "password"]),
        page: _ => new RazorComponentResult<SignInPage>(new { ReturnUrl = LocalOnly(returnUrl) }));

    private static async Task<IResult> SignIn(HttpContext http, AccountHandling handling, Tokens tokens, CancellationToken cancel)
    {
        var isForm = http.AnswersForm();
        var reading = await http.ReadBody<SignInBody>(cancel);
        if (!reading.IsValid(out var body, out var problem))
        {
            return isForm && reading.Faults is { } faults ? Again(reading.Entered, faults, null, StatusCodes.Status422UnprocessableEntity) : problem;
        }

        var caller = body.Password.Length <= Passwords.Most ? await handling.SignIn(body.Username, body.Password, cancel) : null;
        if (caller is null)
        {
            const string Wrong = "This username and password do not fit together.";
            var unauthorized = AccessAnswers.Unauthorized(http, "wrong-credentials", Wrong);
            return isForm ? Again(reading.Entered, null, Wrong, StatusCodes.Status401Unauthorized) : unauthorized;
        }

        if (!isForm)
        {
            return TypedResults.Json(tokens.Issue(caller), Json.Options);
        }

        await StartSession(http, caller.AccountId);
        return new SeeOther(LocalOnly(body.ReturnUrl) ?? HomeOf(caller));
    }

    private static async Task<IResult> SignOut(HttpContext http, CancellationToken cancel)
    {
        cancel.ThrowIfCancellationRequested();
        await http.SignOutAsync(Antiforgery.SessionScheme);
        return http.Done("/", TypedResults.NoContent());
    }

    private static RazorComponentResult<SignInPage> Again(IReadOnlyDictionary<string, string> entered, Faults? faults, string? message, int status) =>
        new(new { ReturnUrl = LocalOnly(entered.GetValueOrDefault("returnUrl")), Username = entered.GetValueOrDefault("username"), Faults = faults, Message = message })
        {
            StatusCode = status,
        };
}

/// <summary>How to sign in, for a program that asks.</summary>
public sealed record SignInDescription(string Action, string Method, IReadOnlyList<string> Fields);
