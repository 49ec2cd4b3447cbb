using CaveComm.Domain.Commissions;
using CaveComm.Domain.Payments;
using static CaveComm.Tests.Support.Some;

namespace CaveComm.Tests.Commissions;

/// <summary>A commission's life so far.</summary>
/// <param name="Payment">The payment that this kind of commission is paid by.</param>
internal sealed record Past(string Name, CommissionEvent.PaymentReceived Payment, IReadOnlyList<CommissionEvent> Happened)
{
    public override string ToString() => Name;
}

/// <summary>Lives that reach every status there is, in both kinds: up front by Stripe, and on delivery by BTCPay.</summary>
internal static class Lives
{
    private static readonly CommissionEvent.PayoutRequested BitcoinPayout = new(1, PaymentProviders.BtcPay, "ada@wallet.example", Satoshi(200_000), Satoshi(0), null);

    public static IReadOnlyList<Past> All { get; } = [.. UpFront(), .. OnDelivery()];

    private static IEnumerable<Past> UpFront() =>
    [
        Up("none"),
        Up("requested", Requested),
        Up("declined", Requested, Declined),
        Up("withdrawn", Requested, Withdrawn),
        Up("accepted", Requested, Accepted),
        Up("accepted, agreed elsewhere", Requested with { Template = AgreedWork }, Accepted),
        Up("withdrawn while the invoice is set up", Requested, Accepted, Withdrawn),
        Up("cancelled while the invoice is set up", Requested, Accepted, Cancelled),
        Up("cancelled with an open invoice", Requested, Accepted, Invoiced, Cancelled),
        Up("invoice refused", Requested, Accepted, InvoiceRefused),
        Up("awaiting payment", Requested, Accepted, Invoiced),
        Up("half paid", Requested, Accepted, Invoiced, HalfPaid),
        Up("payment failed", Requested, Accepted, Invoiced, PaymentFailed),
        Up("awaiting payment, product there", Requested, Accepted, Invoiced, Uploaded),
        Up("expired", Requested, Accepted, Invoiced, InvoiceExpired),
        Up("expired, half paid", Requested, Accepted, Invoiced, HalfPaid, InvoiceExpired),
        Up("expired, paid late", Requested, Accepted, Invoiced, InvoiceExpired, Paid with { Late = true }),
        Up("voided", Requested, Accepted, Invoiced, InvoiceVoided),
        Up("in progress", Requested, Accepted, Invoiced, Paid),
        Up("delivered", Requested, Accepted, Invoiced, Paid, Uploaded, Delivered),
        Up("delivered and downloaded", Requested, Accepted, Invoiced, Paid, Uploaded, Delivered, Downloaded),
        Up("payout requested", Requested, Accepted, Invoiced, Paid, Uploaded, Delivered, PayoutRequested),
        Up("payout failed", Requested, Accepted, Invoiced, Paid, Uploaded, Delivered, PayoutRequested, PayoutFailed),
        Up("payout by hand", Requested, Accepted, Invoiced, Paid, Uploaded, Delivered, PayoutByHand),
        Up("paid too much", Requested, Accepted, Invoiced, Paid, HalfPaid with { PaymentId = "pi_2", Charge = "ch_2" }),
        Up("honoured late", Requested, Accepted, Invoiced, InvoiceExpired, PaidLate, Honoured),
        Up("refund requested", Requested, Accepted, Invoiced, Paid, RefundRequested),
        Up("partly refunded", Requested, Accepted, Invoiced, Paid, Uploaded, Delivered, RefundRequested, Refunded),
        Up("refunded", Requested, Accepted, Invoiced, Paid, RefundRequested with { Amount = Price }, Refunded with { Amount = Price, Sent = Price }),
        Up("refunded after the payout", Requested, Accepted, Invoiced, Paid, Uploaded, Delivered, PayoutRequested, PaidOut, RefundRequested, Refunded),
        Up("disputed", Requested, Accepted, Invoiced, Paid, DisputeOpened),
        Up("disputed after the payout", Requested, Accepted, Invoiced, Paid, Uploaded, Delivered, PayoutRequested, PaidOut, DisputeOpened),
        Up("dispute lost", Requested, Accepted, Invoiced, Paid, Uploaded, Delivered, DisputeOpened, DisputeLost),
        Up("paid out", Requested, Accepted, Invoiced, Paid, Uploaded, Delivered, PayoutRequested, PaidOut),
    ];

    private static IEnumerable<Past> OnDelivery() =>
    [
        On("none"),
        On("requested", RequestedOnDelivery),
        On("declined", RequestedOnDelivery, Declined),
        On("withdrawn", RequestedOnDelivery, Withdrawn),
        On("in progress", RequestedOnDelivery, Accepted),
        On("cancelled", RequestedOnDelivery, Accepted, Cancelled),
        On("invoice refused", RequestedOnDelivery, Accepted, Uploaded, InvoiceRefused with { Provider = PaymentProviders.BtcPay }),
        On("product there", RequestedOnDelivery, Accepted, Uploaded),
        On("awaiting payment", RequestedOnDelivery, Accepted, Uploaded, InvoicedInBitcoin),
        On("payment seen", RequestedOnDelivery, Accepted, Uploaded, InvoicedInBitcoin, PaymentSeen),
        On("payment seen, then invalid", RequestedOnDelivery, Accepted, Uploaded, InvoicedInBitcoin, PaymentSeen, InvoiceVoided),
        On("half paid", RequestedOnDelivery, Accepted, Uploaded, InvoicedInBitcoin, PaidInBitcoin with { Amount = Euro(60_00), Received = Satoshi(100_000) }),
        On("expired", RequestedOnDelivery, Accepted, Uploaded, InvoicedInBitcoin, InvoiceExpired),
        On("voided", RequestedOnDelivery, Accepted, Uploaded, InvoicedInBitcoin, InvoiceVoided),
        On("released unpaid", RequestedOnDelivery, Accepted, Uploaded, InvoicedInBitcoin, Released, Delivered),
        On("released, then paid", RequestedOnDelivery, Accepted, Uploaded, InvoicedInBitcoin, Released, Delivered, PaidInBitcoin),
        On("delivered", RequestedOnDelivery, Accepted, Uploaded, InvoicedInBitcoin, PaidInBitcoin, Delivered),
        On("payout requested", RequestedOnDelivery, Accepted, Uploaded, InvoicedInBitcoin, PaidInBitcoin, Delivered, BitcoinPayout),
        On("paid late", RequestedOnDelivery, Accepted, Uploaded, InvoicedInBitcoin, InvoiceExpired, PaidInBitcoin with { Late = true }),
        On("refund offered", RequestedOnDelivery, Accepted, Uploaded, InvoicedInBitcoin, PaidInBitcoin, Delivered, RefundRequested with { Provider = PaymentProviders.BtcPay }, RefundOffered),
        On("paid out", RequestedOnDelivery, Accepted, Uploaded, InvoicedInBitcoin, PaidInBitcoin, Delivered, BitcoinPayout, new CommissionEvent.PaidOut("po_1", Satoshi(200_000), Satoshi(0), Shop)),
    ];

    private static Past Up(string name, params CommissionEvent[] happened) => new($"up front: {name}", Paid, happened);

    private static Past On(string name, params CommissionEvent[] happened) => new($"on delivery: {name}", PaidInBitcoin, happened);
}
