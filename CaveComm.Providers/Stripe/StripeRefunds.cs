using System.Globalization;
using System.Text.Json;
using CaveComm.Domain.Payments;
using CaveComm.Providers.Http;

namespace CaveComm.Providers.Stripe;

/// <summary>Refunds of an invoice's payments, and what banks and credit notes take from them.</summary>
internal sealed class StripeRefunds(StripeClient stripe)
{
    public async Task<RefundSnapshot> Request(RefundOrder order, CancellationToken cancel)
    {
        if (StripeMoney.ToStripe(order.Amount) is not { } amount)
        {
            return Refused(order, $"Stripe cannot refund {order.Amount}.");
        }

        // Stripe forgets keys after a day, so an earlier call's work is looked for first.
        var earlier = (await List(order.PaymentId, cancel)).FirstOrDefault(refund => refund.Text("metadata", "refund_key") == order.Key);
        if (earlier.ValueKind == JsonValueKind.Object)
        {
            return Snapshot(earlier, order.PaymentId);
        }

        var isIntent = order.PaymentId.StartsWith("pi_", StringComparison.Ordinal);
        var made = await stripe.Post(
            "create-refund",
            "v1/refunds",
            order.Key,
            new StripeForm
            {
                ["payment_intent"] = isIntent ? order.PaymentId : null,
                ["charge"] = isIntent ? null : order.Charge ?? order.PaymentId,
                ["amount"] = amount,
                ["reason"] = "requested_by_customer",
                ["metadata"] = new StripeForm
                {
                    ["commission_id"] = order.Commission.ToString(),
                    ["refund_number"] = order.Number.ToString(CultureInfo.InvariantCulture),
                    ["refund_key"] = order.Key,
                },
            },
            null,
            cancel);
        return made.IsDone ? Snapshot(made.Body, order.PaymentId) : Refused(order, made.Reason);
    }

    public async Task<RefundSnapshot?> Fetch(string refundId, CancellationToken cancel)
    {
        var answer = await stripe.Get("fetch-refund", $"v1/refunds/{ProviderHttp.Segment(refundId)}", null, null, cancel);
        return answer.IsDone
            ? Snapshot(answer.Body, answer.Body.Id("payment_intent") ?? answer.Body.Id("charge") ?? "")
            : answer.IsMissing
                ? null
                : throw new GatewayRefusedException(StripeGateway.ProviderName, $"refund {refundId} cannot be read ({answer.ErrorCode ?? "refused"}).");
    }

    /// <summary>All refunds of some payments, whoever asked for them.</summary>
    public async Task<IReadOnlyList<RefundSnapshot>> Of(IEnumerable<SettledPayment> payments, CancellationToken cancel)
    {
        var refunds = new List<RefundSnapshot>();
        foreach (var payment in payments.Where(it => it.Charge is not null))
        {
            refunds.AddRange((await List(payment.PaymentId, cancel)).Select(refund => Snapshot(refund, payment.PaymentId)));
        }

        return refunds;
    }

    public async Task<IReadOnlyList<DisputeSnapshot>> Disputes(IEnumerable<SettledPayment> payments, CancellationToken cancel)
    {
        var disputes = new List<DisputeSnapshot>();
        foreach (var payment in payments.Where(it => it.Charge is not null))
        {
            var found = await stripe.List("list-disputes", "v1/disputes", () => new StripeForm { [NameOf(payment.PaymentId)] = payment.PaymentId }, null, cancel);
            disputes.AddRange(found.Where(TookMoney).Select(dispute => new DisputeSnapshot(
                dispute.Text("id") ?? throw Nameless("dispute"),
                payment.PaymentId,
                StripeMoney.FromStripe(dispute.Whole("amount") ?? 0, dispute.Text("currency") ?? payment.Amount.Currency),
                dispute.Text("reason") ?? "general",
                dispute.Time("evidence_details", "due_by"),
                dispute.Text("status") switch { "won" => true, "lost" => false, _ => null })));
        }

        return disputes;
    }

    /// <summary>Credit notes that were issued before the invoice was paid: they make it less. Those after it come with a refund, which is seen as one.</summary>
    public async Task<IReadOnlyList<CreditSnapshot>> Credits(string invoiceId, string currency, CancellationToken cancel)
    {
        var notes = await stripe.List("list-credit-notes", "v1/credit_notes", () => new StripeForm { ["invoice"] = invoiceId }, null, cancel);
        return [.. from note in notes
                   where note.Text("status") == "issued" && (note.Whole("pre_payment_amount") ?? (note.Text("type") == "pre_payment" ? note.Whole("amount") : 0)) > 0
                   select new CreditSnapshot(
                       note.Text("id") ?? throw Nameless("credit note"),
                       StripeMoney.FromStripe(note.Whole("pre_payment_amount") ?? note.Whole("amount") ?? 0, note.Text("currency") ?? currency))];
    }

    // An inquiry ("warning") moves no money, and a prevented dispute was settled by a refund.
    private static bool TookMoney(JsonElement dispute) => dispute.Text("status") is "needs_response" or "under_review" or "won" or "lost";

    private Task<IReadOnlyList<JsonElement>> List(string paymentId, CancellationToken cancel) =>
        stripe.List("list-refunds", "v1/refunds", () => new StripeForm { [NameOf(paymentId)] = paymentId }, null, cancel);

    private static string NameOf(string paymentId) => paymentId.StartsWith("pi_", StringComparison.Ordinal) ? "payment_intent" : "charge";

    private static RefundSnapshot Refused(RefundOrder order, string reason) =>
        new(null, order.Number, order.PaymentId, order.Amount, order.Coin with { Minor = 0 }, RefundProgress.Failed, Reason: reason);

    private static RefundSnapshot Snapshot(JsonElement refund, string paymentId)
    {
        var amount = StripeMoney.FromStripe(refund.Whole("amount") ?? 0, refund.Text("currency") ?? "");
        return new RefundSnapshot(
            refund.Text("id") ?? throw Nameless("refund"),
            int.TryParse(refund.Text("metadata", "refund_number"), CultureInfo.InvariantCulture, out var number) ? number : null,
            paymentId,
            amount,
            amount,
            refund.Text("status") switch
            {
                "succeeded" => RefundProgress.Sent,
                "failed" or "canceled" => RefundProgress.Failed,
                _ => RefundProgress.Pending,
            },
            Reason: refund.Text("failure_reason") ?? refund.Text("status"));
    }

    private static GatewayUnavailableException Nameless(string what) => new(StripeGateway.ProviderName, $"the {what} came back without an id.");
}
