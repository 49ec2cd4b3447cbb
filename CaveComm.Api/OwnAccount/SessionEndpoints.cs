using CaveComm.Api.Http;
using CaveComm.Api.Http.Idempotency;
using CaveComm.Api.Identity;
using CaveComm.Domain.Identity;
using Microsoft.AspNetCore.Http.HttpResults;

namespace CaveComm.Api.OwnAccount;

/// <param name="Kind"><c>browser</c>, <c>program</c> or <c>client</c>.</param>
/// <param name="Client">What the OAuth client is called; null for others.</param>
/// <param name="LastSeenAt">To a few minutes.</param>
/// <param name="IsThis">Whether it is the one that asks.</param>
public sealed record SessionLine(Guid Id, string Kind, string? Client, string Device, DateTimeOffset StartedAt, DateTimeOffset LastSeenAt, bool IsThis);

/// <summary>Where somebody is signed in.</summary>
internal static class SessionEndpoints
{
    public const string Path = "/account/sessions";

    public static void Map(IEndpointRouteBuilder routes)
    {
        var sessions = routes.MapGroup(Path).RequireSignIn();
        sessions.MapGet("", Show).WithName("ListSessions").Produces<Page<SessionLine>>();
        sessions.MapDelete("/{id:guid}", End).WithName("EndSession").Produces(StatusCodes.Status204NoContent).ProducesProblem(StatusCodes.Status404NotFound);
        sessions.MapPost("/end-all", EndAll).WithName("EndAllSessions").KeepsNoAnswer("A repeat ends what has begun since; the answer holds a session.")
            .Produces(StatusCodes.Status204NoContent);

        // A browser's form knows no DELETE.
        sessions.MapPost("/{id:guid}/end", End).WithName("EndSessionForm").KeepsNoAnswer("A session ends once, however often it is asked.").ExcludeFromDescription();
    }

    private static async Task<IResult> Show(HttpContext http, Sessions sessions, CancellationToken cancel)
    {
        var caller = http.Caller()!;
        var lines = (await sessions.Of(caller.AccountId, cancel)).Select(it => new SessionLine(it.Id, it.Kind, it.Client, it.Device, it.StartedAt, it.LastSeenAt, it.Id == caller.SessionId));
        return http.Negotiate(new Page<SessionLine>([.. lines], null), it => new RazorComponentResult<SessionsPage>(new { Sessions = it.Items }));
    }

    private static async Task<IResult> End(Guid id, HttpContext http, Sessions sessions, CancellationToken cancel) =>
        await sessions.End(http.Caller()!.AccountId, id, "ended by the owner", cancel) ? http.Done(Path, TypedResults.NoContent()) : Problems.Missing();

    private static async Task<IResult> EndAll(HttpContext http, Sessions sessions, AccountHandling handling, CancellationToken cancel)
    {
        var caller = http.Caller()!;
        var decision = await handling.HandleOwn(caller, (it, _, _) => Task.FromResult(AccountDecider.Decide(it, new AccountCommand.EndSessions("signed out everywhere"))), cancel);
        if (decision.Refusal is { } refusal)
        {
            return refusal.ToProblem();
        }

        if (http.AnswersForm())
        {
            await sessions.StartAnew(http, caller, decision, isProved: false, cancel);
        }

        return http.Done(Path, TypedResults.NoContent());
    }
}
