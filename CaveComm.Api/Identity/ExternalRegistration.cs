using System.Security.Claims;
using CaveComm.Api.Http;
using CaveComm.Api.Http.Idempotency;
using CaveComm.Api.OwnAccount;
using CaveComm.Domain.Identity;

namespace CaveComm.Api.Identity;

/// <param name="Email">That of the token when left out.</param>
public sealed record ExternalRegisterBody(string Handle, string DisplayName, string? Email = null, string? Invitation = null);

/// <summary>Somebody who signed in at the issuer makes an account here, and with it a shop. There is no password.</summary>
internal static class ExternalRegistration
{
    public static void Map(IEndpointRouteBuilder routes)
    {
        routes.OnlyWithoutIssuer().MapGet(RegisterEndpoints.Path, () => TypedResults.Empty).WithName("ShowRegister").ExcludeFromDescription();
        routes.MapPost(RegisterEndpoints.Path, Register).WithName("RegisterFreelancer").KeepsItsAnswer().RequireRateLimiting(RateLimits.Registrations)
            .RequireAuthorization().TakesBody<ExternalRegisterBody>()
            .Produces<RegisteredAnswer>(StatusCodes.Status201Created)
            .ProducesProblem(StatusCodes.Status403Forbidden)
            .ProducesProblem(StatusCodes.Status409Conflict);
    }

    private static async Task<IResult> Register(
        HttpContext http, AccountHandling handling, ExternalIssuer issuer, IKeyedWrites keyed, IConfiguration configuration, AccountLinks links, CancellationToken cancel)
    {
        if (ExternalAccounts.NameOf(http.User) is not { } name || http.Caller() is not null)
        {
            return Problems.Of("already-registered", "This account is registered already.");
        }

        var mode = RegistrationModes.Of(configuration);
        if (mode == RegistrationMode.Closed)
        {
            return Problems.Of("registration-closed", "This installation takes no new freelancers by itself. Ask its operator.");
        }

        var reading = await http.ReadBody<ExternalRegisterBody>(cancel);
        if (!reading.IsValid(out var body, out var problem))
        {
            return problem;
        }

        var invitation = string.IsNullOrEmpty(body.Invitation) ? null : links.ReadInvitation(body.Invitation);
        if (invitation is null && (mode == RegistrationMode.Invitation || !string.IsNullOrEmpty(body.Invitation)))
        {
            return InvitationDecider.NoLongerGood.Refusal!.ToProblem();
        }

        var email = body.Email ?? http.User.FindFirstValue("email") ?? "";
        var wanted = new Registration(body.Handle, body.Handle, body.DisplayName.Trim(), email.Trim(), null, Role.Freelancer, "registered with the issuer's token") { IssuedName = name };
        var registered = await handling.Register(wanted, keyed.Enroll, invitation, cancel);
        if (registered.Refusal is { } refusal)
        {
            return refusal.ToProblem();
        }

        if (issuer.IsAdministrator(http.User.FindFirstValue("sub")!))
        {
            await handling.Handle(registered.AccountId, new AccountCommand.GrantRole(Role.Admin, "named in Oidc:Administrators"), "system", cancel);
        }

        http.AnswerPosition(registered.Position);
        return TypedResults.Created($"/freelancer/{body.Handle}/profile", new RegisteredAnswer(registered.AccountId, body.Handle, body.Handle));
    }
}
