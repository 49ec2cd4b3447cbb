using CaveComm.Api.Http;
using CaveComm.Api.Http.Idempotency;
using CaveComm.Api.Identity;
using CaveComm.Domain;
using Microsoft.AspNetCore.Http.HttpResults;

namespace CaveComm.Api.OwnAccount;

/// <param name="Current">The password that is good now.</param>
public sealed record PasswordBody(string Current, string Password);

/// <summary>The owner chooses another password.</summary>
internal static class PasswordEndpoints
{
    public const string Path = "/account/password";

    public static void Map(IEndpointRouteBuilder routes)
    {
        routes.MapGet(Path, (HttpContext http) => http.Negotiate(new SignInDescription(Path, "POST", ["current", "password"]), _ => Page(http, null, null, StatusCodes.Status200OK)))
            .RequireSignIn().WithName("ShowPassword").ExcludeFromDescription();
        routes.MapPost(Path, Change).RequireSignIn().WithName("ChangePassword").TakesBody<PasswordBody>()
            .KeepsNoAnswer("A repeat is refused, as its old password is wrong by then; the answer holds a session.")
            .Produces(StatusCodes.Status204NoContent).ProducesProblem(StatusCodes.Status429TooManyRequests);
    }

    private static async Task<IResult> Change(HttpContext http, SignInDesk desk, AccountChanges changes, Sessions sessions, CancellationToken cancel)
    {
        var reading = await http.ReadBody<PasswordBody>(cancel);
        var faults = (reading.Faults ?? new Faults()).AddRest(reading.Readable?.Password is { } wanted ? Passwords.Check("password", wanted, new Faults()) : new Faults());
        if (reading.Readable is null && reading.Faults is null)
        {
            return reading.Problem!;
        }

        var caller = http.Caller()!;
        if (faults.IsEmpty && await desk.Confirm(http, caller, reading.Value!.Current, cancel) is { } outcome)
        {
            if (outcome is SignInOutcome.TooMany over)
            {
                return Problems.TooMany(http, Confirmation.TooOften, over.RetryAfter);
            }

            faults.Add("current", Confirmation.Wrong);
        }

        if (!faults.IsEmpty)
        {
            return http.AnswersForm() ? Page(http, faults, null, StatusCodes.Status422UnprocessableEntity) : faults.ToProblem();
        }

        var decision = await changes.ChangePassword(caller, reading.Value!.Password, cancel);
        if (decision.Refusal is { } refusal)
        {
            return refusal.ToProblem();
        }

        if (http.AnswersForm())
        {
            await sessions.StartAnew(http, caller, decision, isProved: true, cancel);
            return Page(http, null, "Your password is changed. Every other device is signed out. API keys stay good until you revoke them.", StatusCodes.Status200OK);
        }

        return TypedResults.NoContent();
    }

    private static RazorComponentResult<PasswordPage> Page(HttpContext http, Faults? faults, string? done, int status) =>
        new(new { http.Caller()!.Username, Faults = faults, Done = done }) { StatusCode = status };
}

/// <summary>What is said where the password is asked for once more.</summary>
internal static class Confirmation
{
    public const string Wrong = "This is not your password.";
    public const string TooOften = "Too many wrong passwords came from here. Wait a little; the right one is still taken.";
}
