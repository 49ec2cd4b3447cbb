using CaveComm.Api.Http;
using CaveComm.Api.Http.Idempotency;
using CaveComm.Api.Identity;
using CaveComm.Domain;
using CaveComm.Domain.Commissions;
using CaveComm.Projections.Commissions;
using Microsoft.AspNetCore.Http.HttpResults;

namespace CaveComm.Api.Commissions;

/// <param name="Reason">Words to the customer; may be left out.</param>
public sealed record ReasonBody(string? Reason) : IChecked
{
    public void Check(Faults faults) => faults.LimitText("reason", Reason, 5_000);

    /// <summary>The reason, or null when there is none worth sending.</summary>
    public string? Words => string.IsNullOrWhiteSpace(Reason) ? null : Reason.Trim();
}

/// <param name="Act"><c>accept</c>, <c>decline</c> or <c>cancel</c>.</param>
/// <param name="Reason">What had been typed, when the form comes back with faults.</param>
public sealed record ConfirmModel(string Freelancer, CommissionDetail Detail, string Act, string? Reason = null, Faults? Faults = null);

/// <summary>F6 and F7 (and calling off): GET asks for confirmation, POST acts. The flowchart draws them as GET; a safe method must change nothing.</summary>
internal static class DecideOnRequest
{
    public static void Map(IEndpointRouteBuilder routes)
    {
        var request = routes.MapGroup("/freelancer/{freelancer}/requests/{requestID:guid}").RequireFreelancer();
        request.MapPost("/accept", (string freelancer, Guid requestID, HttpContext http, CommissionHandling handling, IDocumentStore store, CancellationToken cancel) =>
            http.Act(freelancer, requestID, new CommissionCommand.Accept(), handling, store, cancel)).WithName("AcceptCommission").Answers();
        request.MapPost("/decline", (string freelancer, Guid requestID, HttpContext http, CommissionHandling handling, IDocumentStore store, CancellationToken cancel) =>
            WithReason(http, freelancer, requestID, "decline", words => new CommissionCommand.Decline(words), handling, store, cancel)).WithName("DeclineCommission").TakesBody<ReasonBody>().Answers();
        request.MapPost("/cancel", (string freelancer, Guid requestID, HttpContext http, CommissionHandling handling, IDocumentStore store, CancellationToken cancel) =>
            WithReason(http, freelancer, requestID, "cancel", words => new CommissionCommand.Cancel(words), handling, store, cancel)).WithName("CancelCommission").TakesBody<ReasonBody>().Answers();

        foreach (var act in (string[])["accept", "decline", "cancel"])
        {
            request.MapGet($"/{act}", (string freelancer, Guid requestID, HttpContext http, IDocumentStore store, CancellationToken cancel) =>
                Confirm(http, freelancer, requestID, act, store, cancel)).WithName($"Confirm-{act}");
        }
    }

    private static RouteHandlerBuilder Answers(this RouteHandlerBuilder builder) => builder
        .KeepsItsAnswer()
        .Produces<RequestStatus>()
        .ProducesProblem(StatusCodes.Status404NotFound)
        .ProducesProblem(StatusCodes.Status409Conflict)
        .ProducesProblem(StatusCodes.Status412PreconditionFailed);

    private static async Task<IResult> WithReason(
        HttpContext http,
        string freelancer,
        Guid requestID,
        string act,
        Func<string?, CommissionCommand> command,
        CommissionHandling handling,
        IDocumentStore store,
        CancellationToken cancel)
    {
        var reading = await http.ReadBody<ReasonBody>(cancel);
        if (reading.IsValid(out var body, out var problem))
        {
            return await http.Act(freelancer, requestID, command(body.Words), handling, store, cancel);
        }

        if (!http.AnswersForm() || reading.Faults is not { } faults)
        {
            return problem;
        }

        await using var session = store.QuerySession();
        return await session.Detail(freelancer, requestID, cancel) is { } detail
            ? new RazorComponentResult<ConfirmPage>(new { Model = new ConfirmModel(freelancer, detail, act, reading.Entered.GetValueOrDefault("reason"), faults) })
            {
                StatusCode = StatusCodes.Status422UnprocessableEntity,
            }
            : Problems.Missing();
    }

    private static async Task<IResult> Confirm(HttpContext http, string freelancer, Guid requestID, string act, IDocumentStore store, CancellationToken cancel)
    {
        await using var session = store.QuerySession();
        return await session.Detail(freelancer, requestID, cancel) is { } detail
            ? http.Negotiate(
                RequestStatus.Of(requestID, detail.State), _ => new RazorComponentResult<ConfirmPage>(new { Model = new ConfirmModel(freelancer, detail, act) }))
            : Problems.Missing();
    }
}
