using CaveComm.Api.Http;
using CaveComm.Api.Http.Idempotency;
using CaveComm.Api.Identity;
using CaveComm.Domain;
using Microsoft.AspNetCore.Http.HttpResults;

namespace CaveComm.Api.OwnAccount;

/// <param name="Username">Or the e-mail address.</param>
public sealed record ResetBody(string Username) : IChecked
{
    public void Check(Faults faults)
    {
        ArgumentNullException.ThrowIfNull(faults);
        faults.RequireText("username", Username, EmailAddress.MaxLength);
    }
}

/// <param name="Token">Of the link in the mail.</param>
public sealed record NewPasswordBody(string Token, string Password) : IChecked
{
    public void Check(Faults faults) => Passwords.Check("password", Password, faults);
}

public sealed record ResetAnswer(string Detail);

/// <summary>Somebody who forgot the password gets a link by mail.</summary>
internal static class PasswordResetEndpoints
{
    public const string Path = "/account/password-reset";
    public const string NewPath = "/account/password-reset/new";

    private static readonly ResetAnswer Asked = new("If somebody signs in by this name and we have an address, a mail with a link is on its way. The link is good for one hour.");

    public static void Map(IEndpointRouteBuilder routes)
    {
        routes.MapGet(Path, (HttpContext http) => http.Negotiate(new SignInDescription(Path, "POST", ["username"]), _ => AskPage(null, null, null, StatusCodes.Status200OK)))
            .WithName("ShowPasswordReset").ExcludeFromDescription();
        routes.MapPost(Path, Ask).WithName("AskForPasswordReset").KeepsItsAnswer().NeedsFormToken().RequireRateLimiting(RateLimits.ResetMails).TakesBody<ResetBody>()
            .Produces<ResetAnswer>(StatusCodes.Status202Accepted).ProducesProblem(StatusCodes.Status429TooManyRequests);
        routes.MapGet(NewPath, ShowNew).WithName("ShowNewPassword").ExcludeFromDescription();
        routes.MapPost(NewPath, Choose).WithName("ResetPassword").KeepsNoAnswer("A repeat is refused: the link is good once.").NeedsFormToken()
            .RequireRateLimiting(RateLimits.ResetMails).TakesBody<NewPasswordBody>()
            .Produces(StatusCodes.Status204NoContent).ProducesProblem(StatusCodes.Status403Forbidden).ProducesProblem(StatusCodes.Status429TooManyRequests);
    }

    private static async Task<IResult> Ask(HttpContext http, AccountChanges changes, CancellationToken cancel)
    {
        var reading = await http.ReadBody<ResetBody>(cancel);
        if (!reading.IsValid(out var body, out var problem))
        {
            return http.AnswersForm() && reading.Faults is { } faults ? AskPage(reading.Entered.GetValueOrDefault("username"), faults, null, StatusCodes.Status422UnprocessableEntity) : problem;
        }

        await changes.AskForReset(body.Username, cancel);
        return http.AnswersForm() ? AskPage(null, null, Asked.Detail, StatusCodes.Status200OK) : TypedResults.Json(Asked, Json.Options, statusCode: StatusCodes.Status202Accepted);
    }

    private static async Task<IResult> ShowNew(HttpContext http, AccountChanges changes, CancellationToken cancel, string? token = null)
    {
        var isGood = await changes.IsResetGood(token, cancel);
        return http.Negotiate(
            new SignInDescription(NewPath, "POST", ["token", "password"]),
            _ => NewPage(token, isGood, null, isGood ? StatusCodes.Status200OK : StatusCodes.Status403Forbidden));
    }

    private static async Task<IResult> Choose(HttpContext http, AccountChanges changes, CancellationToken cancel)
    {
        var reading = await http.ReadBody<NewPasswordBody>(cancel);
        if (!reading.IsValid(out var body, out var problem))
        {
            return http.AnswersForm() && reading.Faults is { } faults ? NewPage(reading.Entered.GetValueOrDefault("token"), true, faults, StatusCodes.Status422UnprocessableEntity) : problem;
        }

        if (await changes.Reset(body.Token, body.Password, cancel) is { } refusal)
        {
            return http.AnswersForm() ? NewPage(null, false, null, StatusCodes.Status403Forbidden) : refusal.ToProblem();
        }

        return http.AnswersForm()
            ? new RazorComponentResult<Pages.SignInPage>(new { Notice = "Your new password is good now. Sign in with it." })
            : TypedResults.NoContent();
    }

    private static RazorComponentResult<PasswordResetPage> AskPage(string? username, Faults? faults, string? done, int status) =>
        new(new { Username = username, Faults = faults, Done = done }) { StatusCode = status };

    private static RazorComponentResult<NewPasswordPage> NewPage(string? token, bool isGood, Faults? faults, int status) =>
        new(new { Token = token, IsGood = isGood, Faults = faults }) { StatusCode = status };
}
