using CaveComm.Api.Http;
using CaveComm.Api.Identity;
using CaveComm.Domain.Identity;
using CaveComm.Domain.Payments;
using Microsoft.Net.Http.Headers;

namespace CaveComm.Api.Papers;

/// <summary>Invoice, receipt, credit and record of a commission as PDF. They are made when they are asked for; nothing is kept but what they are made of.</summary>
internal static class PaperEndpoints
{
    private static readonly TimeSpan WaitForWallet = TimeSpan.FromSeconds(2);

    public static void Map(IEndpointRouteBuilder routes)
    {
        Describe(routes.MapGet("/freelancer/{freelancer}/requests/{requestID:guid}/invoice.pdf", OwnInvoice).WithName("InvoicePdf").RequireFreelancer(Scope.ReadBilling));
        Describe(routes.MapGet("/freelancer/{freelancer}/requests/{requestID:guid}/receipt.pdf", OwnReceipt).WithName("ReceiptPdf").RequireFreelancer(Scope.ReadBilling));
        Describe(routes.MapGet("/freelancer/{freelancer}/requests/{requestID:guid}/credit.pdf", OwnCredit).WithName("CreditPdf").RequireFreelancer(Scope.ReadBilling));
        Describe(routes.MapGet("/freelancer/{freelancer}/requests/{requestID:guid}/evidence.pdf", Evidence).WithName("EvidencePdf").RequireFreelancerOrAdmin());
        Describe(routes.MapGet("/customer/requests/{requestID:guid}/invoice.pdf", CustomersInvoice).WithName("CustomersInvoicePdf"));
        Describe(routes.MapGet("/customer/requests/{requestID:guid}/receipt.pdf", CustomersReceipt).WithName("CustomersReceiptPdf"));
        Describe(routes.MapGet("/customer/requests/{requestID:guid}/credit.pdf", CustomersCredit).WithName("CustomersCreditPdf"));
    }

    private static void Describe(RouteHandlerBuilder route) => route
        .Produces(StatusCodes.Status200OK, contentType: "application/pdf")
        .ProducesProblem(StatusCodes.Status404NotFound)
        .ProducesProblem(StatusCodes.Status409Conflict);

    private static async Task<IResult> OwnInvoice(string freelancer, Guid requestID, string? number, HttpContext http, IDocumentStore store, IPaymentProviders providers, CancellationToken cancel) =>
        await Invoice(http, await Facts(store, freelancer, requestID, cancel), number, providers, cancel);

    private static async Task<IResult> OwnReceipt(string freelancer, Guid requestID, HttpContext http, IDocumentStore store, CancellationToken cancel) =>
        Receipt(http, await Facts(store, freelancer, requestID, cancel));

    private static async Task<IResult> CustomersInvoice(
        Guid requestID, string? token, string? number, HttpContext http, IDocumentStore store, IPaymentProviders providers, Links links, CancellationToken cancel) =>
        await Invoice(http, links.OpensStatus(requestID, token) ? await Facts(store, null, requestID, cancel) : null, number, providers, cancel);

    private static async Task<IResult> CustomersReceipt(Guid requestID, string? token, HttpContext http, IDocumentStore store, Links links, CancellationToken cancel) =>
        Receipt(http, links.OpensStatus(requestID, token) ? await Facts(store, null, requestID, cancel) : null);

    private static async Task<IResult> Evidence(string freelancer, Guid requestID, HttpContext http, IDocumentStore store, CancellationToken cancel) =>
        await Facts(store, freelancer, requestID, cancel) is { } facts
            ? Pdf(http, $"record-{requestID:D}", EvidenceSheet.Render(facts.Evidence()))
            : Problems.Missing();

    private static async Task<IResult> Invoice(HttpContext http, PaperFacts? facts, string? number, IPaymentProviders providers, CancellationToken cancel) => (facts, facts?.Invoice(number)) switch
    {
        (null, _) => Problems.Missing(),
        (_, { } invoice) => Pdf(http, invoice.Number, InvoiceSheet.Render(invoice with { WalletLink = await WalletLink(invoice, providers, cancel) })),
        _ when number is not null => Problems.Missing(),
        ({ Detail.Invoice: not null }, _) => Problems.Of("no-invoice", "This invoice is from before invoices were numbered here; the payment provider has its own."),
        _ => Problems.Of("no-invoice", "There is no invoice yet. It is made when it is time to pay."),
    };

    // The pay link does without, so a provider that is slow or away keeps nobody waiting for a paper.
    private static async Task<string?> WalletLink(InvoicePaper invoice, IPaymentProviders providers, CancellationToken cancel)
    {
        if (invoice.PayUrl is null || providers.Find(invoice.Provider) is not IWalletLinks wallets)
        {
            return null;
        }

        using var limited = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        limited.CancelAfter(WaitForWallet);
        try
        {
            return await wallets.FindWalletLink(invoice.InvoiceId, limited.Token);
        }
        catch (GatewayUnavailableException)
        {
            return null;
        }
        catch (OperationCanceledException) when (!cancel.IsCancellationRequested)
        {
            return null;
        }
    }

    private static async Task<IResult> OwnCredit(string freelancer, Guid requestID, string? number, HttpContext http, IDocumentStore store, CancellationToken cancel) =>
        Credit(http, await Facts(store, freelancer, requestID, cancel), number);

    private static async Task<IResult> CustomersCredit(
        Guid requestID, string? token, string? number, HttpContext http, IDocumentStore store, Links links, CancellationToken cancel) =>
        Credit(http, links.OpensStatus(requestID, token) ? await Facts(store, null, requestID, cancel) : null, number);

    private static IResult Credit(HttpContext http, PaperFacts? facts, string? number) => (facts, facts?.Credit(number)) switch
    {
        (null, _) => Problems.Missing(),
        (_, { } credit) => Pdf(http, credit.Number, CreditSheet.Render(credit)),
        _ when number is not null => Problems.Missing(),
        _ => Problems.Of("wrong-stage", "Nothing of a numbered invoice has gone back, so there is no credit."),
    };

    private static IResult Receipt(HttpContext http, PaperFacts? facts) => (facts, facts?.Receipt()) switch
    {
        (null, _) => Problems.Missing(),
        (_, { } receipt) => Pdf(http, $"receipt-{receipt.Invoices[^1]}", ReceiptSheet.Render(receipt)),
        ({ Detail.State.IsFullyPaid: false } open, _) => Problems.Of("wrong-stage", $"There is a receipt when everything is paid; {open.Detail.State.Missing} is missing."),
        _ => Problems.Of("wrong-stage", "Nothing came in for an invoice that was numbered here, so there is no receipt."),
    };

    /// <param name="freelancer">Whose it has to be; null for anybody's.</param>
    private static async Task<PaperFacts?> Facts(IDocumentStore store, string? freelancer, Guid requestId, CancellationToken cancel)
    {
        await using var session = store.QuerySession();
        return await PaperFacts.Load(session, requestId, cancel) is { } facts && (freelancer is null || facts.Detail.State.Freelancer == freelancer) ? facts : null;
    }

    // Some hundred kilobytes at most, so it is made in memory and its length is told.
    private static IResult Pdf(HttpContext http, string name, byte[] content)
    {
        var disposition = new ContentDispositionHeaderValue("inline");
        disposition.SetHttpFileName($"{name}.pdf");
        http.Response.Headers.ContentDisposition = disposition.ToString();
        http.Response.Headers.CacheControl = "private, no-store";
        return TypedResults.Bytes(content, "application/pdf");
    }
}
