using CaveComm.Api.Commissions;
using CaveComm.Api.Http;
using CaveComm.Api.Http.Idempotency;
using CaveComm.Api.Identity;
using CaveComm.Domain;
using CaveComm.Domain.Commissions;
using CaveComm.Domain.Identity;
using CaveComm.Domain.Payments;
using CaveComm.Projections.Commissions;

namespace CaveComm.Api.Payments;

/// <summary>Somebody does not want to wait for the schedule: the provider is asked now. A freelancer about their commission, an administrator about any.</summary>
internal static class CheckPayment
{
    public static void Map(IEndpointRouteBuilder routes)
    {
        routes.MapPost("/freelancer/{freelancer}/requests/{requestID:guid}/checkPayment", async (
                string freelancer, Guid requestID, HttpContext http, IDocumentStore store, IOutbox outbox, IKeyedWrites keyed, CancellationToken cancel) =>
            {
                await using var session = store.LightweightSession();
                var detail = await session.Detail(freelancer, requestID, cancel);
                return await Ask(http, session, detail, CommissionEndpoint.Page(freelancer, requestID), outbox, keyed, cancel);
            })
            .WithName(nameof(CheckPayment))
            .RequireFreelancer()
            .KeepsItsAnswer()
            .Answers();
        routes.MapPost("/admin/requests/{requestID:guid}/checkPayment", async (
                Guid requestID, HttpContext http, IDocumentStore store, IOutbox outbox, IKeyedWrites keyed, CancellationToken cancel) =>
            {
                await using var session = store.LightweightSession();
                var detail = await session.Events.AggregateStreamAsync<CommissionDetail>(StreamKey.Commission(requestID), token: cancel);
                return await Ask(http, session, detail, "/admin", outbox, keyed, cancel);
            })
            .WithName("AdminCheckPayment")
            .RequireRole(Role.Admin)
            .KeepsItsAnswer()
            .Answers();
    }

    private static RouteHandlerBuilder Answers(this RouteHandlerBuilder builder) => builder
        .Produces<RequestStatus>(StatusCodes.Status202Accepted)
        .ProducesProblem(StatusCodes.Status404NotFound)
        .ProducesProblem(StatusCodes.Status409Conflict);

    private static async Task<IResult> Ask(
        HttpContext http, IDocumentSession session, CommissionDetail? detail, string page, IOutbox outbox, IKeyedWrites keyed, CancellationToken cancel)
    {
        if (detail is null)
        {
            return Problems.Missing();
        }

        var questions = Questions(detail).ToList();
        if (questions is [])
        {
            return new Refusal(RefusalKind.Conflict, "no-invoice", "There is no invoice to ask about.").ToProblem();
        }

        outbox.Enroll(session);
        keyed.Enroll(session);
        foreach (var question in questions)
        {
            await outbox.PublishAsync(question);
        }

        await session.SaveChangesAsync(cancel);
        return http.Done(page, TypedResults.Json(RequestStatus.Of(detail.RequestId, detail.State), Json.Options, statusCode: StatusCodes.Status202Accepted));
    }

    // Also of an invoice that has expired or is void: money can come for it still. With an invoice come its refunds and disputes.
    private static IEnumerable<object> Questions(CommissionDetail it)
    {
        if (it.Invoice is { } invoice)
        {
            yield return new CheckInvoice(it.RequestId, invoice.Id, CheckInvoice.OneOff);
        }

        foreach (var refund in it.State.Refunds.Where(refund => refund is { Standing: RefundStanding.Requested, Provider: not PaymentProviders.Manual }))
        {
            // The same key as before: what was sent is found, and sent only if it never was.
            yield return refund switch
            {
                { IsWithdrawn: true } => new WithdrawRefund(it.RequestId, refund.Number!.Value),
                { RefundId: { } known } => new CheckRefund(it.RequestId, refund.Number!.Value, known, CheckInvoice.OneOff),
                _ => new SendRefund(it.RequestId, refund.Number!.Value, CheckInvoice.OneOff),
            };
        }

        if (it.State is { Payout: { Provider: not PaymentProviders.Manual } payout } state)
        {
            yield return state.PayoutId is { } arrived ? new CheckPayout(it.RequestId, payout.Attempt, arrived, CheckInvoice.OneOff) : new SendPayout(it.RequestId, payout.Attempt, CheckInvoice.OneOff);
        }
    }
}
