using CaveComm.Api.Http;
using CaveComm.Api.Http.Idempotency;
using CaveComm.Api.Identity;
using CaveComm.Domain;
using CaveComm.Domain.Identity;
using Microsoft.AspNetCore.Http.HttpResults;

namespace CaveComm.Api.OwnAccount;

public sealed record InviteBody(string Email) : IChecked
{
    public void Check(Faults faults)
    {
        ArgumentNullException.ThrowIfNull(faults);
        faults.Require(EmailAddress.IsValid(Email), "email", "An e-mail address such as name@example.com.");
    }
}

public sealed record InvitationLine(Guid Id, string? Email, string Status, DateTimeOffset InvitedAt, DateTimeOffset ExpiresAt, string? Handle)
{
    public static InvitationLine Of(InvitationRecord it) => new(Guid.Parse(it.Id), it.Email, it.Status, it.InvitedAt, it.ExpiresAt, it.Handle);
}

/// <summary>Administrators invite freelancers.</summary>
internal static class InvitationEndpoints
{
    public const string Path = "/invitations";

    public static void Map(IEndpointRouteBuilder routes)
    {
        var invitations = routes.MapGroup(Path).RequireRole(Role.Admin);
        invitations.MapGet("", Show).WithName("ListInvitations").Produces<Page<InvitationLine>>();
        invitations.MapPost("", Invite).WithName("Invite").TakesBody<InviteBody>().KeepsItsAnswer().Produces<InvitationLine>(StatusCodes.Status201Created);
        invitations.MapDelete("/{id:guid}", Withdraw).WithName("WithdrawInvitation")
            .Produces(StatusCodes.Status204NoContent).ProducesProblem(StatusCodes.Status404NotFound).ProducesProblem(StatusCodes.Status409Conflict);

        // A browser's form knows no DELETE.
        invitations.MapPost("/{id:guid}/withdraw", Withdraw).WithName("WithdrawInvitationForm").KeepsNoAnswer("A repeat finds it withdrawn and changes nothing.").ExcludeFromDescription();
    }

    private static async Task<IResult> Show(HttpContext http, Invitations invitations, CancellationToken cancel) =>
        http.Negotiate(await List(invitations, cancel), it => new RazorComponentResult<InvitationsPage>(new { Invitations = it.Items }));

    private static async Task<IResult> Invite(HttpContext http, Invitations invitations, CancellationToken cancel)
    {
        var reading = await http.ReadBody<InviteBody>(cancel);
        if (!reading.IsValid(out var body, out var problem))
        {
            return http.AnswersForm() && reading.Faults is { } faults
                ? new RazorComponentResult<InvitationsPage>(new { Invitations = (await List(invitations, cancel)).Items, Faults = faults, Email = reading.Entered.GetValueOrDefault("email") })
                {
                    StatusCode = StatusCodes.Status422UnprocessableEntity,
                }
                : problem;
        }

        var made = InvitationLine.Of(await invitations.Invite(http.Caller()!, body.Email, cancel));
        return http.Done(Path, TypedResults.Json(made, Json.Options, statusCode: StatusCodes.Status201Created));
    }

    private static async Task<IResult> Withdraw(Guid id, HttpContext http, Invitations invitations, CancellationToken cancel) =>
        await invitations.Withdraw(id, http.Caller()!, cancel) is { } refusal ? refusal.ToProblem() : http.Done(Path, TypedResults.NoContent());

    private static async Task<Page<InvitationLine>> List(Invitations invitations, CancellationToken cancel) =>
        new([.. (await invitations.List(cancel)).Select(InvitationLine.Of)], null);
}
