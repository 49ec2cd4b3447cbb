using CaveComm.Api.Http;
using CaveComm.Api.Http.Idempotency;
using CaveComm.Domain;
using CaveComm.Domain.Commissions;
using CaveComm.Domain.Freelancers;
using CaveComm.Projections.Commissions;
using Microsoft.AspNetCore.Http.HttpResults;

namespace CaveComm.Api.Commissions;

/// <summary>What a customer sees of a commission.</summary>
/// <param name="PayUrl">Where to pay; null when there is nothing to pay now.</param>
/// <param name="PaymentSeen">A payment was seen and waits for its confirmation: it does not count yet, and nothing more is to be paid meanwhile.</param>
/// <param name="DownloadUrl">Where the delivered files are; null before delivery.</param>
public sealed record CustomerView(
    Guid RequestId,
    string Freelancer,
    string Title,
    string Status,
    Money Price,
    PaymentTerms PaymentTerms,
    string Provider,
    Money Received,
    Money Missing,
    string? PayUrl,
    bool PaymentSeen,
    string? DownloadUrl,
    IReadOnlyList<FileJson> Files,
    IReadOnlyList<HistoryLine> History)
{
    // Money matters between the freelancer and the platform are no business of the customer's.
    private static readonly string[] NotForCustomers = ["commission.payout-requested", "commission.payout-failed", "commission.paid-out", "commission.payout-reversed", "commission.invoice-set-up-failed"];

    public static CustomerView Of(CommissionDetail it, string freelancerName, Links links) => new(
        it.RequestId,
        freelancerName,
        it.Title,
        StatusText.Of(it.State.Status == CommissionStatus.PaidOut ? CommissionStatus.Delivered : it.State.Status),
        it.State.Price,
        it.State.PaymentTerms,
        it.State.Provider,
        it.State.Received,
        it.State.Missing,
        it.State is { Invoice: not null, IsFullyPaid: false, IsPaymentSeen: false, Ended: null } ? it.Invoice?.PayUrl : null,
        it.State.IsPaymentSeen,
        it.State.IsDelivered ? links.Download(it, DownloadRecipient.Customer).AbsoluteUri : null,
        it.State.IsDelivered ? [.. it.Files.Select(FileJson.Of)] : [],
        [.. it.History.Where(line => !NotForCustomers.Contains(line.Type))]);
}

/// <param name="CanWithdraw">Nothing is paid or made yet.</param>
/// <param name="ClaimUrl">Where a refund waits for the customer to say where it shall go; null where none does.</param>
/// <param name="PaymentWasLost">A payment was seen and never confirmed, and nothing has come since.</param>
/// <param name="InvoiceWasVoided">Nothing can be paid until there is another invoice.</param>
/// <param name="Late">What came too late and is neither taken for the price nor on its way back; zero for nothing.</param>
public sealed record CustomerStatusModel(CustomerView View, string Token, bool CanWithdraw, bool HasInvoice, bool HasReceipt, bool HasCredit, bool PaymentWasLost, bool InvoiceWasVoided, Money Late, string? ClaimUrl);

/// <summary>The customer's private page, opened by the link in the first mail.</summary>
internal static class CustomerStatus
{
    public static void Map(IEndpointRouteBuilder routes)
    {
        routes.MapGet("/customer/requests/{requestID:guid}", Show).WithName(nameof(CustomerStatus)).Produces<CustomerView>().ProducesProblem(StatusCodes.Status404NotFound);
        routes.MapPost("/customer/requests/{requestID:guid}/withdraw", Withdraw)
            .WithName("WithdrawRequest")
            .KeepsItsAnswer()
            .Produces<RequestStatus>()
            .ProducesProblem(StatusCodes.Status404NotFound)
            .ProducesProblem(StatusCodes.Status409Conflict);
    }

    private static async Task<IResult> Show(
        Guid requestID, string? token, string? returned, HttpContext http, IDocumentStore store, IMessageBus bus, Links links, CancellationToken cancel)
    {
        if (!links.OpensStatus(requestID, token))
        {
            return Problems.Missing();
        }

        await using var session = store.QuerySession();
        if (await session.Events.AggregateStreamAsync<CommissionDetail>(StreamKey.Commission(requestID), token: cancel) is not { } detail)
        {
            return Problems.Missing();
        }

        if (returned is not null && detail.State is { Invoice: { } invoice, IsFullyPaid: false })
        {
            // Back from the pay page: a hint to look, nothing more.
            await bus.PublishAsync(new CheckInvoice(requestID, invoice.InvoiceId, CheckInvoice.OneOff));
        }

        var freelancer = await session.Events.AggregateStreamAsync<Freelancer>(StreamKey.Freelancer(detail.State.Freelancer), token: cancel) ?? Freelancer.Initial;
        var view = CustomerView.Of(detail, freelancer.DisplayName, links);
        http.SetETag(detail.Version);
        var hasReceipt = detail.State is { IsFullyPaid: true, Received.IsPositive: true };
        var isLost = detail.State is { PaymentWasLost: true, IsFullyPaid: false };
        var model = new CustomerStatusModel(
            view, token!, CanWithdraw(detail.State), detail.Invoice is not null, hasReceipt, detail.State.HasCredit, isLost, detail.State.InvoiceWasVoided, Late(detail.State), ClaimUrl(detail));
        return http.Negotiate(view, _ => new RazorComponentResult<CustomerStatusPage>(new { Model = model }));
    }

    private static async Task<IResult> Withdraw(Guid requestID, string? token, HttpContext http, CommissionHandling handling, Links links, CancellationToken cancel)
    {
        if (!links.OpensStatus(requestID, token))
        {
            return Problems.Missing();
        }

        var handled = await handling.Handle(requestID, new CommissionCommand.Withdraw(), "customer", http.IfMatch().Allows, null, cancel);
        return http.Answer(handled, () => http.Done(links.Status(requestID).PathAndQuery, TypedResults.Json(RequestStatus.Of(requestID, handled.Commission.State), Json.Options)));
    }

    private static string? ClaimUrl(CommissionDetail it) => it.Refunds.FirstOrDefault(refund => refund is { Status: "requested", ClaimUrl: not null })?.ClaimUrl;

    private static Money Late(Commission it) => it.Payments
        .Where(payment => !payment.Counts && !it.Refunds.Any(refund => refund.PaymentId == payment.PaymentId && refund.Standing != RefundStanding.Failed))
        .Aggregate(Money.Zero(it.Price.Currency), (sum, payment) => sum + payment.Amount);

    private static bool CanWithdraw(Commission it) => CommissionDecider.Decide(it, new CommissionCommand.Withdraw()).Events is not [];
}
