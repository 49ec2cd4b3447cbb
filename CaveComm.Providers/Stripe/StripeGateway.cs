using CaveComm.Domain.Payments;
using Microsoft.Extensions.Logging;

namespace CaveComm.Providers.Stripe;

/// <summary>Stripe: hosted invoices, paid to the platform; transfers and payouts to the freelancers' connected accounts.</summary>
/// <remarks>
/// Every POST carries the order's key and the step (<c>{key}/customer</c>, <c>{key}/invoice</c>, <c>{key}/item</c>, …). Stripe may forget a key after
/// 24 hours, so what a step makes also bears our key in its metadata and is looked for before it is made.
/// </remarks>
internal sealed class StripeGateway : IPaymentProvider, IInvoiceLookup, IProviderEventList, IPayoutAccounts, IDisposable
{
    public const string ProviderName = PaymentProviders.Stripe;

    private readonly StripeClient stripe;
    private readonly StripeInvoiceSetUp setUp;
    private readonly StripeInvoices invoices;
    private readonly StripePayouts payouts;
    private readonly StripeRefunds refunds;
    private readonly StripeReversals reversals;
    private readonly StripeEventList events;
    private readonly StripeAccounts accounts;

    public StripeGateway(StripeOptions options, TimeProvider clock, ILogger<StripeGateway> log, HttpMessageHandler? handler = null)
    {
        stripe = new StripeClient(options, clock, log, handler);
        setUp = new StripeInvoiceSetUp(stripe);
        refunds = new StripeRefunds(stripe);
        invoices = new StripeInvoices(stripe, refunds);
        reversals = new StripeReversals(stripe);
        payouts = new StripePayouts(stripe, reversals);
        events = new StripeEventList(stripe);
        accounts = new StripeAccounts(stripe);
    }

    public string Name => ProviderName;

    public ProviderState State => stripe.State;

    public bool MailsInvoices => true;

    public Task<InvoiceSetUp> SetUpInvoice(InvoiceOrder order, CancellationToken cancel) => setUp.SetUp(order, cancel);

    public Task SendInvoice(string key, string invoiceId, CancellationToken cancel) => invoices.Send(key, invoiceId, cancel);

    public Task<InvoiceSnapshot?> FetchInvoice(string invoiceId, CancellationToken cancel) => invoices.Fetch(invoiceId, cancel);

    public Task VoidInvoice(string key, string invoiceId, CancellationToken cancel) => invoices.Void(key, invoiceId, cancel);

    public Task<RefundSnapshot> RequestRefund(RefundOrder order, CancellationToken cancel) => refunds.Request(order, cancel);

    public Task<RefundSnapshot?> FetchRefund(RefundOrder order, string refundId, CancellationToken cancel) => refunds.Fetch(refundId, cancel);

    /// <summary>Stripe sends refunds and offers none.</summary>
    public Task WithdrawRefund(string refundId, CancellationToken cancel) =>
        Task.FromException(new GatewayRefusedException(ProviderName, $"refund {refundId} is on its way, and cannot be withdrawn."));

    public Task<PayoutSnapshot> RequestPayout(PayoutOrder order, CancellationToken cancel) => payouts.Request(order, cancel);

    public Task<PayoutSnapshot?> FetchPayout(string payoutId, string destination, CancellationToken cancel) => payouts.Fetch(payoutId, destination, cancel);

    public Task<ReversalSnapshot> ReversePayout(ReversalOrder order, CancellationToken cancel) => reversals.Reverse(order, cancel);

    public Task<PaymentInvoice?> FindInvoice(string paymentIntentId, CancellationToken cancel) => invoices.FindByPayment(paymentIntentId, cancel);

    public Task<ProviderEventPage?> ListEvents(ProviderEventRange range, CancellationToken cancel) => events.List(range, cancel);

    public Task<string> OpenAccount(PayoutAccountOrder order, CancellationToken cancel) => accounts.Open(order, cancel);

    public Task<PayoutAccountLink> LinkTo(string account, Uri returnUrl, Uri refreshUrl, CancellationToken cancel) => accounts.LinkTo(account, returnUrl, refreshUrl, cancel);

    public Task<PayoutAccountSnapshot?> FetchAccount(string account, CancellationToken cancel) => accounts.Fetch(account, cancel);

    public void Dispose() => stripe.Dispose();
}
