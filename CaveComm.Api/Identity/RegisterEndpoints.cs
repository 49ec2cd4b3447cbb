using CaveComm.Api.Http;
using CaveComm.Api.Http.Idempotency;
using CaveComm.Api.Pages;
using CaveComm.Domain;
using CaveComm.Domain.Identity;
using Microsoft.AspNetCore.Http.HttpResults;

namespace CaveComm.Api.Identity;

public sealed record RegisterBody(string Handle, string DisplayName, string Email, string Password);

public sealed record RegisteredAnswer(Guid AccountId, string Handle, string Username);

/// <summary>A freelancer makes an account, and with it a shop that is not yet open.</summary>
internal static class RegisterEndpoints
{
    public const string Path = "/freelancer/register";

    public static void Map(IEndpointRouteBuilder routes)
    {
        routes.MapGet(Path, (HttpContext http) => http.Negotiate(
            new SignInDescription(Path, "POST", ["handle", "displayName", "email", "password"]), page: _ => new RazorComponentResult<RegisterPage>()))
            .WithName("ShowRegister").ExcludeFromDescription();
        routes.MapPost(Path, Register).WithName("RegisterFreelancer").KeepsItsAnswer(unlessForm: true).NeedsFormToken().TakesBody<RegisterBody>()
            .Produces<RegisteredAnswer>(StatusCodes.Status201Created)
            .ProducesProblem(StatusCodes.Status403Forbidden)
            .ProducesProblem(StatusCodes.Status409Conflict);
    }

    private static async Task<IResult> Register(HttpContext http, AccountHandling handling, IKeyedWrites keyed, IConfiguration configuration, CancellationToken cancel)
    {
        if (!string.Equals(configuration["CaveComm:Registration"] ?? "open", "open", StringComparison.OrdinalIgnoreCase))
        {
            return Problems.Of("registration-closed", "This installation takes no new freelancers by itself. Ask its operator.");
        }

        var isForm = http.AnswersForm();
        var reading = await http.ReadBody<RegisterBody>(cancel);
        if (!reading.IsValid(out var body, out var problem))
        {
            return isForm && reading.Faults is { } faults ? Again(reading.Entered, faults.ToRefusal()) : problem;
        }

        var wanted = new Registration(body.Handle, body.Handle, body.DisplayName.Trim(), body.Email.Trim(), body.Password, Role.Freelancer, "registered");
        var registered = await handling.Register(wanted, keyed.Enroll, cancel);
        if (registered.Refusal is { } refusal)
        {
            return isForm ? Again(reading.Entered, refusal) : refusal.ToProblem();
        }

        http.AnswerPosition(registered.Position);
        if (isForm)
        {
            await SignInEndpoints.StartSession(http, registered.AccountId);
            return new SeeOther($"/freelancer/{body.Handle}/profile");
        }

        return TypedResults.Created($"/freelancer/{body.Handle}/profile", new RegisteredAnswer(registered.AccountId, body.Handle, body.Handle));
    }

    private static RazorComponentResult<RegisterPage> Again(IReadOnlyDictionary<string, string> entered, Refusal refusal) =>
        new(new { Entered = entered, Refusal = refusal }) { StatusCode = refusal.ToProblem().StatusCode };
}
