using CaveComm.Api.Commissions;
using CaveComm.Api.Http;
using CaveComm.Api.Http.Idempotency;
using CaveComm.Api.Identity;
using CaveComm.Domain;

namespace CaveComm.Api.Payments;

/// <summary>The freelancer does not want to wait for the schedule: the provider is asked now.</summary>
internal static class CheckPayment
{
    public static void Map(IEndpointRouteBuilder routes) => routes
        .MapPost("/freelancer/{freelancer}/requests/{requestID:guid}/checkPayment", Handle)
        .WithName(nameof(CheckPayment))
        .RequireFreelancer()
        .KeepsItsAnswer()
        .Produces<RequestStatus>(StatusCodes.Status202Accepted)
        .ProducesProblem(StatusCodes.Status409Conflict);

    private static async Task<IResult> Handle(
        string freelancer, Guid requestID, HttpContext http, IDocumentStore store, IOutbox outbox, IKeyedWrites keyed, CancellationToken cancel)
    {
        await using var session = store.LightweightSession();
        if (await session.Detail(freelancer, requestID, cancel) is not { } detail)
        {
            return Problems.Missing();
        }

        if (detail.State.Invoice is not { } invoice)
        {
            return new Refusal(RefusalKind.Conflict, "no-invoice", "There is no open invoice to ask about.").ToProblem();
        }

        outbox.Enroll(session);
        keyed.Enroll(session);
        await outbox.PublishAsync(new CheckInvoice(requestID, invoice.InvoiceId, CheckInvoice.OneOff));
        await session.SaveChangesAsync(cancel);
        return http.Done(
            CommissionEndpoint.Page(freelancer, requestID),
            TypedResults.Json(RequestStatus.Of(requestID, detail.State), Json.Options, statusCode: StatusCodes.Status202Accepted));
    }
}
