using System.Text.Json.Nodes;

namespace CaveComm.Sandbox.BtcPay;

/// <summary>Payouts over the API.</summary>
internal static class PayoutApi
{
    public static void Map(BtcPayRoutes routes, BtcPayWorld world)
    {
        var payouts = world.Payouts;
        routes.InStore("POST", "payouts", call => Create(call, world), isShortToo: false);
        routes.InStore("GET", "payouts", call => List(payouts, it => call.Flag("includeCancelled") || it.State != PayoutState.Cancelled), isShortToo: false);
        routes.InStore("GET", "payouts/{id}", call => payouts.Find(call.Route("id")) is { } payout
            ? BtcPayAnswer.Ok(BtcPayPayouts.Shape(payout))
            : BtcPayAnswer.NotFound("payout"));
        routes.InStore("POST", "payouts/{id}", call =>
        {
            var revision = call.Body.Number("revision");
            return call.Body.Faults.Count > 0 ? BtcPayAnswer.Invalid(call.Body.Faults) : payouts.Approve(call.Route("id"), (long?)revision ?? 0);
        });
        routes.InStore("DELETE", "payouts/{id}", call => payouts.Mark(call.Route("id"), PayoutState.Cancelled, null));
        routes.InStore("POST", "payouts/{id}/mark-paid", call => payouts.Mark(call.Route("id"), PayoutState.Completed, null));
        routes.InStore("POST", "payouts/{id}/mark", call => Mark(call, payouts));
    }

    public static BtcPayAnswer List(BtcPayPayouts payouts, Func<Payout, bool> wanted) =>
        BtcPayAnswer.Ok(new JsonArray([.. payouts.List(wanted).Select(BtcPayPayouts.Shape)]));

    /// <summary>Reads what all ways to ask for a payout have in common.</summary>
    /// <returns>Null when something is wrong; the body's faults say what.</returns>
    public static Payout? Draft(BtcPayBody body, DateTimeOffset now, string currency, decimal? otherwise)
    {
        var method = PaymentMethods.Read(body.Text("payoutMethodId"));
        if (method is not (PaymentMethods.Chain or PaymentMethods.Lightning))
            body.Wrong("payoutMethodId", "Invalid payout method");
        var destination = body.Text("destination")?.Trim() ?? "";
        if (destination.Length == 0)
            body.Wrong("destination", "Destination is required");
        else if (method is not null && BtcPayPayouts.Fault(method, destination) is { } fault)
            body.Wrong("destination", fault);
        var amount = body.Number("amount") ?? Bolt11.AmountOf(destination) ?? otherwise;
        if (!body.Faults.Any(it => it.Path == "amount") && amount is null or <= 0 or > 1_000_000_000_000m)
            body.Wrong("amount", "Amount too low (should be at least 0.00000001)");
        return body.Faults.Count > 0
            ? null
            : new Payout(
                BtcPayStore.NewId(), 0, 0, null, now, destination, currency, amount!.Value, null, method!, PayoutState.AwaitingApproval, null, null, null);
    }

    private static BtcPayAnswer Create(BtcPayCall call, BtcPayWorld world)
    {
        var body = call.Body;
        var approved = body.Truth("approved") ?? false;
        var metadata = body.Object("metadata");
        if (body.Text("pullPaymentId") is { Length: > 0 } pullPayment)
            return world.PullPayments.Claim(pullPayment, body, metadata, approved);
        return Draft(body, world.Time.GetUtcNow(), "BTC", null) is { } draft
            ? world.Store.Transact(work => world.Payouts.Create(work, draft with { Metadata = metadata }, approved))
            : BtcPayAnswer.Invalid(body.Faults);
    }

    private static BtcPayAnswer Mark(BtcPayCall call, BtcPayPayouts payouts)
    {
        var body = call.Body;
        var named = body.Text("state");
        if (!Enum.TryParse<PayoutState>(named, out var state) || !Enum.IsDefined(state) || state == PayoutState.AwaitingApproval)
            body.Wrong("state", "Invalid state");
        var proof = body.Object("paymentProof");
        if (proof is not null && proof["proofType"] is null)
            body.Wrong("paymentProof.proofType", "A proof type is required");
        return body.Faults.Count > 0 ? BtcPayAnswer.Invalid(body.Faults) : payouts.Mark(call.Route("id"), state, proof);
    }
}
