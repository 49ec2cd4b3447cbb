using CaveComm.Api.Commissions;
using CaveComm.Api.Http.Idempotency;
using CaveComm.Api.Identity;
using CaveComm.Domain.Commissions;

namespace CaveComm.Api.Payouts;

/// <summary>The freelancer says that a payout by hand was made.</summary>
internal static class MarkPaidOut
{
    public static void Map(IEndpointRouteBuilder routes) => routes
        .MapPost("/freelancer/{freelancer}/requests/{requestID:guid}/markPaidOut", (
            string freelancer, Guid requestID, HttpContext http, CommissionHandling handling, IDocumentStore store, CancellationToken cancel) =>
            http.Act(freelancer, requestID, new CommissionCommand.MarkPaidOut(), handling, store, cancel))
        .WithName(nameof(MarkPaidOut))
        .RequireFreelancer()
        .KeepsItsAnswer()
        .Produces<RequestStatus>()
        .ProducesProblem(StatusCodes.Status409Conflict);
}
