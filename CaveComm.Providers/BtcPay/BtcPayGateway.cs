using CaveComm.Domain.Payments;
using Microsoft.Extensions.Logging;

namespace CaveComm.Providers.BtcPay;

/// <summary>The installation's BTCPay Server: invoices with a checkout page, and payouts to Lightning or on-chain addresses.</summary>
/// <remarks>
/// BTCPay has no idempotency keys. The order's key is therefore written into what is made (an invoice's <c>orderId</c>, a payout's
/// <c>metadata.payoutKey</c>) and searched for before anything is made, so that a call after an unclear outcome finds the work of the one before.
/// What creates is never repeated within a call. The API key needs: cancreateinvoice, canviewinvoices, canmodifyinvoices, cancreatepullpayments, canviewpullpayments,
/// canarchivepullpayments, canviewpayouts and canmanagepayouts.
/// </remarks>
internal sealed class BtcPayGateway : IPaymentProvider, IWalletLinks, IDisposable
{
    public const string ProviderName = PaymentProviders.BtcPay;

    private readonly BtcPayClient btcPay;
    private readonly BtcPayInvoices invoices;
    private readonly BtcPayPayouts payouts;
    private readonly BtcPayRefunds refunds;

    public BtcPayGateway(BtcPayOptions options, TimeProvider clock, ILogger<BtcPayGateway> log, HttpMessageHandler? handler = null)
    {
        btcPay = new BtcPayClient(options, clock, log, handler);
        invoices = new BtcPayInvoices(btcPay, options);
        payouts = new BtcPayPayouts(btcPay);
        refunds = new BtcPayRefunds(btcPay);
    }

    public string Name => ProviderName;

    public ProviderState State => btcPay.State;

    public bool MailsInvoices => false;

    public Task<InvoiceSetUp> SetUpInvoice(InvoiceOrder order, CancellationToken cancel) => invoices.SetUp(order, cancel);

    public Task SendInvoice(string key, string invoiceId, CancellationToken cancel) => Task.CompletedTask;

    public Task<string?> FindWalletLink(string invoiceId, CancellationToken cancel) => invoices.FindWalletLink(invoiceId, cancel);

    public Task<InvoiceSnapshot?> FetchInvoice(string invoiceId, CancellationToken cancel) => invoices.Fetch(invoiceId, cancel);

    public Task VoidInvoice(string key, string invoiceId, CancellationToken cancel) => invoices.Void(invoiceId, cancel);

    public Task<RefundSnapshot> RequestRefund(RefundOrder order, CancellationToken cancel) => refunds.Request(order, cancel);

    public Task<RefundSnapshot?> FetchRefund(RefundOrder order, string refundId, CancellationToken cancel) => refunds.Fetch(order, refundId, cancel);

    public Task WithdrawRefund(string refundId, CancellationToken cancel) => refunds.Withdraw(refundId, cancel);

    public Task<PayoutSnapshot> RequestPayout(PayoutOrder order, CancellationToken cancel) => payouts.Request(order, cancel);

    public Task<PayoutSnapshot?> FetchPayout(string payoutId, string destination, CancellationToken cancel) => payouts.Fetch(payoutId, cancel);

    /// <summary>What the chain or Lightning has taken away nobody can call back.</summary>
    public Task<ReversalSnapshot> ReversePayout(ReversalOrder order, CancellationToken cancel) =>
        Task.FromResult(new ReversalSnapshot(null, order.Amount, IsOurs: true, "Bitcoin that was paid out cannot be taken back."));

    public void Dispose() => btcPay.Dispose();
}
