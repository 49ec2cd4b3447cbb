using System.Collections.Immutable;
using System.Text.Json.Nodes;
using CaveComm.Sandbox.Storage;

namespace CaveComm.Sandbox.BtcPay;

/// <summary>Money that somebody may fetch: a refund's claim page, or a payout whose address the receiver enters.</summary>
internal sealed record PullPayment(
    string Id,
    long Number,
    string Name,
    string Description,
    decimal Amount,
    string Currency,
    ImmutableArray<string> Methods,
    bool AutoApprove,
    DateTimeOffset StartsAt,
    DateTimeOffset? ExpiresAt,
    bool Archived,
    int InvoiceDays);

/// <summary>The store's pull payments, and the refunds of invoices, which are pull payments too.</summary>
internal sealed class BtcPayPullPayments(BtcPayWorld world)
{
    public PullPayment? Find(string id) => world.Store.Transact(work => work.Read<PullPayment>(BtcPayStore.PullPayments, id));

    /// <summary>Newest first.</summary>
    public IReadOnlyList<PullPayment> List() => world.Store.Transact<IReadOnlyList<PullPayment>>(work =>
        [.. work.ReadAll<PullPayment>(BtcPayStore.PullPayments).OrderByDescending(it => it.Number)]);

    public PullPayment Keep(PullPayment made) => world.Store.Transact(work =>
    {
        var number = ((long?)work.Find(BtcPayStore.Settings, "pull-payment-count")?["made"] ?? 0) + 1;
        work.Put(BtcPayStore.Settings, "pull-payment-count", new JsonObject { ["made"] = number });
        var kept = made with { Number = number };
        work.Write(BtcPayStore.PullPayments, kept.Id, kept);
        return kept;
    });

    /// <summary>Archives it and cancels what was claimed and not yet paid.</summary>
    public bool Archive(string id) => world.Store.Transact(work =>
    {
        if (work.Read<PullPayment>(BtcPayStore.PullPayments, id) is not { } found)
        {
            return false;
        }

        work.Write(BtcPayStore.PullPayments, id, found with { Archived = true });
        world.Payouts.Cancel(work, id);
        return true;
    });

    public BtcPayAnswer Claim(string id, BtcPayBody body, JsonObject? metadata, bool approved) => world.Store.Transact(work =>
    {
        if (work.Read<PullPayment>(BtcPayStore.PullPayments, id) is not { } pull)
            return BtcPayAnswer.NotFound("pullpayment");
        var now = world.Time.GetUtcNow();
        var left = pull.Amount - Claimed(work, id);
        if (PayoutApi.Draft(body, now, pull.Currency, left > 0 ? left : pull.Amount) is not { } draft)
            return BtcPayAnswer.Invalid(body.Faults);
        if (pull.Archived)
            return BtcPayAnswer.Refused("archived", "The pull payment has been archived");
        if (pull.StartsAt > now)
            return BtcPayAnswer.Refused("not-started", "The pull payment has not started yet");
        if (pull.ExpiresAt <= now)
            return BtcPayAnswer.Refused("expired", "The pull payment has expired");
        if (!pull.Methods.Contains(draft.Method))
            return BtcPayAnswer.Refused("payment-method-not-supported", "The pull payment does not pay this way");
        if (draft.Amount > left)
            return BtcPayAnswer.Refused("overdraft", "The claim is more than what is left");
        return world.Payouts.Create(work, draft with { PullPaymentId = id, Metadata = metadata }, approved || pull.AutoApprove);
    });

    public JsonObject Shape(PullPayment it) => new()
    {
        ["id"] = it.Id,
        ["name"] = it.Name,
        ["description"] = it.Description,
        ["currency"] = it.Currency,
        ["amount"] = BtcPayRates.Plain(it.Amount),
        ["BOLT11Expiration"] = it.InvoiceDays,
        ["autoApproveClaims"] = it.AutoApprove,
        ["archived"] = it.Archived,
        ["startsAt"] = it.StartsAt.ToUnixTimeSeconds(),
        ["expiresAt"] = it.ExpiresAt?.ToUnixTimeSeconds(),
        ["viewLink"] = new Uri(world.BaseUrl, $"pull-payments/{it.Id}").AbsoluteUri,
    };

    private static decimal Claimed(SandboxStore.Work work, string id) => work
        .ReadWhere<Payout>(BtcPayStore.Payouts, it => (string?)it["pullPaymentId"] == id)
        .Where(it => it.State != PayoutState.Cancelled)
        .Sum(it => it.Amount);
}
