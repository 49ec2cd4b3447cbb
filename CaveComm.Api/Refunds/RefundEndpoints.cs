using CaveComm.Api.Commissions;
using CaveComm.Api.Http;
using CaveComm.Api.Http.Idempotency;
using CaveComm.Api.Identity;
using CaveComm.Domain;
using CaveComm.Domain.Commissions;
using CaveComm.Domain.Identity;
using CaveComm.Projections.Commissions;

namespace CaveComm.Api.Refunds;

/// <param name="Amount">In the price's currency; at most what came in and has not gone back.</param>
/// <param name="Reason">Words to the customer; may be left out.</param>
/// <param name="Version">The commission's version that the form showed: a form that is sent twice by a double click refunds once.</param>
public sealed record RefundBody(Money? Amount, string? Reason, long? Version = null) : IChecked
{
    public void Check(Faults faults)
    {
        faults.Require(Amount is { IsPositive: true }, "amount", "More than nothing, such as {\"amount\":\"20.00\",\"currency\":\"EUR\"}.");
        faults.LimitText("reason", Reason, 500);
    }
}

/// <summary>One refund of a commission.</summary>
/// <param name="Number">Null for one that was made at the provider itself.</param>
/// <param name="Status"><c>requested</c>, <c>refunded</c> or <c>failed</c>.</param>
/// <param name="ClaimUrl">Where the customer says where the money shall go, where the provider asks for that.</param>
public sealed record RefundJson(int? Number, string Provider, string PaymentId, string Status, Money Amount, string? Id, string? Reason, string? ClaimUrl, DateTimeOffset At)
{
    public static RefundJson Of(RefundDetail it) => new(it.Number, it.Provider, it.PaymentId, it.Status, it.Amount, it.Id, it.Reason, it.ClaimUrl, it.At);
}

/// <summary>What was asked for, and where the commission stands now.</summary>
public sealed record RefundsRequested(Guid RequestId, string Status, IReadOnlyList<int> Numbers);

/// <summary>Money that goes back to the customer, and what a freelancer does about money that came late or too little.</summary>
internal static class RefundEndpoints
{
    public static void Map(IEndpointRouteBuilder routes)
    {
        var request = routes.MapGroup("/freelancer/{freelancer}/requests/{requestID:guid}").RequireFreelancer();
        request.MapPost("/refunds", Refund)
            .WithName("RefundCommission")
            .KeepsItsAnswer()
            .TakesBody<RefundBody>()
            .Produces<RefundsRequested>(StatusCodes.Status201Created)
            .ProducesProblem(StatusCodes.Status404NotFound)
            .ProducesProblem(StatusCodes.Status409Conflict)
            .ProducesProblem(StatusCodes.Status422UnprocessableEntity);
        request.MapPost("/refunds/{number:int}/markRefunded", (
            string freelancer, Guid requestID, int number, HttpContext http, CommissionHandling handling, IDocumentStore store, CancellationToken cancel) =>
            http.Act(freelancer, requestID, new CommissionCommand.MarkRefunded(number), handling, store, cancel)).WithName("MarkRefunded").KeepsItsAnswer().Answers();
        request.MapPost("/refunds/{number:int}/withdraw", (
            string freelancer, Guid requestID, int number, HttpContext http, CommissionHandling handling, IDocumentStore store, CancellationToken cancel) =>
            http.Act(freelancer, requestID, new CommissionCommand.WithdrawRefund(number), handling, store, cancel)).WithName("WithdrawRefund").KeepsItsAnswer().Answers();
        routes.MapPost("/admin/requests/{requestID:guid}/refunds/{number:int}/withdraw", WithdrawByAdmin).WithName("AdminWithdrawRefund").RequireRole(Role.Admin).KeepsItsAnswer().Answers();
        request.MapPost("/honour", (
            string freelancer, Guid requestID, HttpContext http, CommissionHandling handling, IDocumentStore store, CancellationToken cancel) =>
            http.Act(freelancer, requestID, new CommissionCommand.Honour(), handling, store, cancel)).WithName("HonourPayment").KeepsItsAnswer().Answers();
        request.MapPost("/invoice", (
            string freelancer, Guid requestID, HttpContext http, CommissionHandling handling, IDocumentStore store, CancellationToken cancel) =>
            http.Act(freelancer, requestID, new CommissionCommand.ReissueInvoice(), handling, store, cancel)).WithName("ReissueInvoice").KeepsItsAnswer().Answers();
    }

    private static RouteHandlerBuilder Answers(this RouteHandlerBuilder builder) => builder
        .Produces<RequestStatus>()
        .ProducesProblem(StatusCodes.Status404NotFound)
        .ProducesProblem(StatusCodes.Status409Conflict)
        .ProducesProblem(StatusCodes.Status412PreconditionFailed);

    private static async Task<IResult> WithdrawByAdmin(Guid requestID, int number, HttpContext http, CommissionHandling handling, CancellationToken cancel)
    {
        var actor = http.Caller() is { } caller ? $"account:{caller.AccountId:D}" : "operator";
        var handled = await handling.Handle(requestID, new CommissionCommand.WithdrawRefund(number), actor, http.IfMatch().Allows, null, cancel);
        return http.Answer(handled, () => http.Done("/admin", TypedResults.Json(RequestStatus.Of(requestID, handled.Commission.State), Json.Options)));
    }

    private static async Task<IResult> Refund(string freelancer, Guid requestID, HttpContext http, CommissionHandling handling, IDocumentStore store, CancellationToken cancel)
    {
        if (!await store.Owns(freelancer, requestID, cancel))
        {
            return Problems.Missing();
        }

        var reading = await http.ReadBody<RefundBody>(cancel);
        if (!reading.IsValid(out var body, out var problem))
        {
            return problem;
        }

        var reason = string.IsNullOrWhiteSpace(body.Reason) ? null : body.Reason.Trim();
        var ifMatch = http.IfMatch();
        var handled = await handling.Handle(
            requestID,
            new CommissionCommand.Refund(body.Amount!.Value, reason),
            CommissionEndpoint.Actor(freelancer),
            version => ifMatch.Allows(version) && (body.Version ?? version) == version,
            null,
            cancel);
        var page = CommissionEndpoint.Page(freelancer, requestID);
        return http.Answer(handled, () => http.Done(page, TypedResults.Created(page, new RefundsRequested(
            requestID,
            StatusText.Of(handled.Commission.State.Status),
            [.. handled.Decision.Events.OfType<CommissionEvent.RefundRequested>().Select(it => it.Number)]))));
    }
}
