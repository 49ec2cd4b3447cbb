using CaveComm.Api.Http;
using CaveComm.Api.Http.Idempotency;
using CaveComm.Api.OwnAccount;
using CaveComm.Api.Pages;
using CaveComm.Domain;
using CaveComm.Domain.Identity;
using Microsoft.AspNetCore.Http.HttpResults;

namespace CaveComm.Api.Identity;

/// <param name="Invitation">The token of an invitation's link; needed where the installation takes nobody without.</param>
public sealed record RegisterBody(string Handle, string DisplayName, string Email, string Password, string? Invitation = null);

public sealed record RegisteredAnswer(Guid AccountId, string Handle, string Username);

/// <summary>A freelancer makes an account, and with it a shop that is not yet open.</summary>
internal static class RegisterEndpoints
{
    public const string Path = "/freelancer/register";

    private static readonly TimeSpan FullLane = TimeSpan.FromSeconds(5);
    private static readonly Refusal Closed = new(RefusalKind.Forbidden, "registration-closed", "This installation takes no new freelancers by itself. Ask its operator.");

    public static void Map(IEndpointRouteBuilder routes)
    {
        routes.MapGet(Path, Show).WithName("ShowRegister").ExcludeFromDescription();
        routes.MapPost(Path, Register).WithName("RegisterFreelancer").KeepsItsAnswer(unlessForm: true).NeedsFormToken().RequireRateLimiting(RateLimits.Registrations)
            .TakesBody<RegisterBody>()
            .Produces<RegisteredAnswer>(StatusCodes.Status201Created)
            .ProducesProblem(StatusCodes.Status403Forbidden)
            .ProducesProblem(StatusCodes.Status409Conflict);
    }

    private static async Task<IResult> Show(
        HttpContext http, IConfiguration configuration, IDocumentStore store, TimeProvider clock, AccountLinks links, CancellationToken cancel, string? invitation = null)
    {
        var mode = RegistrationModes.Of(configuration);
        var refusal = mode == RegistrationMode.Closed ? Closed
            : mode == RegistrationMode.Invitation && !await Invitations.IsGood(store, links.ReadInvitation(invitation), clock.GetUtcNow(), cancel) ? InvitationDecider.NoLongerGood.Refusal
            : null;
        return http.Negotiate(
            new SignInDescription(Path, "POST", ["handle", "displayName", "email", "password", "invitation"]),
            _ => new RazorComponentResult<RegisterPage>(new { Entered = new Dictionary<string, string> { ["invitation"] = invitation ?? "" }, Refusal = refusal, IsShut = refusal is not null }));
    }

    private static async Task<IResult> Register(
        HttpContext http, AccountHandling handling, HashingLanes lanes, Accounts accounts, Sessions sessions, IKeyedWrites keyed, IConfiguration configuration, AccountLinks links, CancellationToken cancel)
    {
        var mode = RegistrationModes.Of(configuration);
        if (mode == RegistrationMode.Closed)
        {
            return Closed.ToProblem();
        }

        var isForm = http.AnswersForm();
        var reading = await http.ReadBody<RegisterBody>(cancel);
        if (!reading.IsValid(out var body, out var problem))
        {
            return isForm && reading.Faults is { } faults ? Again(reading.Entered, faults.ToRefusal()) : problem;
        }

        var wanted = new Registration(body.Handle, body.Handle, body.DisplayName.Trim(), body.Email.Trim(), body.Password, Role.Freelancer, "registered");
        var invitation = string.IsNullOrEmpty(body.Invitation) ? null : links.ReadInvitation(body.Invitation);
        if (invitation is null && (mode == RegistrationMode.Invitation || !string.IsNullOrEmpty(body.Invitation)))
        {
            var needed = InvitationDecider.NoLongerGood.Refusal!;
            return isForm ? Again(reading.Entered, needed) : needed.ToProblem();
        }

        Registered registered;
        using (var place = await lanes.Registrations.Enter(cancel))
        {
            if (place is null)
            {
                return Problems.TooMany(http, "Many are registering just now. Try again in a moment.", FullLane);
            }

            registered = await handling.Register(wanted, keyed.Enroll, invitation, cancel);
        }

        if (registered.Refusal is { } refusal)
        {
            return isForm ? Again(reading.Entered, refusal) : refusal.ToProblem();
        }

        http.AnswerPosition(registered.Position);
        if (isForm)
        {
            await sessions.StartBrowser(http, (await accounts.Find(registered.AccountId, cancel))!, cancel);
            return new SeeOther($"/freelancer/{body.Handle}/profile");
        }

        return TypedResults.Created($"/freelancer/{body.Handle}/profile", new RegisteredAnswer(registered.AccountId, body.Handle, body.Handle));
    }

    private static RazorComponentResult<RegisterPage> Again(IReadOnlyDictionary<string, string> entered, Refusal refusal) =>
        new(new { Entered = entered, Refusal = refusal }) { StatusCode = refusal.ToProblem().StatusCode };
}
