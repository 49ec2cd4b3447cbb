using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using CaveComm.Sandbox.Storage;

namespace CaveComm.Sandbox.BtcPay;

internal enum PayoutState
{
    AwaitingApproval,
    AwaitingPayment,
    InProgress,
    Completed,
    Cancelled,
}

/// <summary>Money on its way out.</summary>
/// <param name="Amount">In <paramref name="Currency"/>: the coin, or what its pull payment is in.</param>
/// <param name="PayoutAmount">In bitcoin; null until it is approved.</param>
/// <param name="StepAt">When the payout processor takes its next step; null when a person has taken over.</param>
internal sealed record Payout(
    string Id,
    long Number,
    int Revision,
    string? PullPaymentId,
    DateTimeOffset CreatedAt,
    string Destination,
    string Currency,
    decimal Amount,
    decimal? PayoutAmount,
    string Method,
    PayoutState State,
    JsonObject? Proof,
    JsonObject? Metadata,
    DateTimeOffset? StepAt)
{
    public bool IsOpen => State is not (PayoutState.Completed or PayoutState.Cancelled);
}

/// <summary>The store's payouts, with a processor that pays what is approved.</summary>
internal sealed partial class BtcPayPayouts(BtcPayWorld world)
{
    private const decimal Dust = 0.00000546m;

    /// <param name="method">Already known to be one.</param>
    /// <returns>A sentence about what is wrong with a destination, or null.</returns>
    public static string? Fault(string method, string destination) => method switch
    {
        PaymentMethods.Chain => Address().IsMatch(destination) ? null : "Invalid address",
        _ when destination.StartsWith("offline@", StringComparison.OrdinalIgnoreCase) => "The LNURL / Lightning Address provided was not online.",
        _ => LightningAddress().IsMatch(destination) || LightningUrl().IsMatch(destination) || Bolt11.LooksLikeOne(destination)
            ? null
            : "A valid BOLT11 invoice or LNURL Pay or Lightning address was not provided.",
    };

    /// <summary>Makes a payout as part of a larger change.</summary>
    public BtcPayAnswer Create(SandboxStore.Work work, Payout draft, bool approved)
    {
        if (work.ReadWhere<Payout>(BtcPayStore.Payouts, it => (string?)it["destination"] == draft.Destination).Any(it => it.IsOpen))
        {
            return BtcPayAnswer.Refused("duplicate-destination", "This destination is already used for another payout");
        }

        var coins = InBitcoin(draft);
        if (approved && coins < Least(draft.Method))
        {
            return BtcPayAnswer.Refused("amount-too-low", "The payout amount is too low");
        }

        var number = ((long?)work.Find(BtcPayStore.Settings, "payout-count")?["payouts"] ?? 0) + 1;
        work.Put(BtcPayStore.Settings, "payout-count", new JsonObject { ["payouts"] = number });
        var payout = draft with { Number = number };
        Keep(work, approved ? Approved(payout, coins) : payout, "PayoutCreated");
        if (approved)
        {
            payout = Approved(payout, coins);
            Keep(work, payout, "PayoutApproved");
        }

        return BtcPayAnswer.Ok(Shape(payout));
    }

    public BtcPayAnswer Approve(string id, long? revision) => Change(id, (work, payout) =>
    {
        if (payout.State != PayoutState.AwaitingApproval)
            return BtcPayAnswer.Refused("invalid-state", "The payout is not in a state that can be approved");
        if (revision != payout.Revision)
            return BtcPayAnswer.Refused("old-revision", "The payout was updated since; read it again");
        var coins = InBitcoin(payout);
        if (coins < Least(payout.Method))
        {
            Keep(work, payout with { State = PayoutState.Cancelled, StepAt = null }, "PayoutUpdated");
            return BtcPayAnswer.Refused("amount-too-low", "The payout amount is too low; it has been cancelled");
        }

        var approved = Approved(payout, coins);
        Keep(work, approved, "PayoutApproved");
        return BtcPayAnswer.Ok(Shape(approved));
    });

    /// <summary>A person says what has become of it.</summary>
    public BtcPayAnswer Mark(string id, PayoutState state, JsonObject? proof) => Change(id, (work, payout) =>
    {
        var allowed = (payout.State, state) switch
        {
            (PayoutState.AwaitingPayment or PayoutState.InProgress, PayoutState.Completed) => true,
            (PayoutState.AwaitingPayment, PayoutState.InProgress) => true,
            (PayoutState.InProgress, PayoutState.AwaitingPayment) => true,
            (PayoutState.AwaitingApproval or PayoutState.AwaitingPayment, PayoutState.Cancelled) => true,
            _ => false,
        };
        if (!allowed)
            return BtcPayAnswer.Refused("invalid-state", $"The payout can't go from {payout.State} to {state}");
        var moved = payout with { State = state, Proof = proof ?? payout.Proof, StepAt = state == PayoutState.AwaitingPayment ? Soon() : null };
        Keep(work, moved, "PayoutUpdated");
        return BtcPayAnswer.Empty;
    });

    public Payout? Find(string id) => world.Store.Transact(work => work.Read<Payout>(BtcPayStore.Payouts, id));

    /// <summary>Newest first.</summary>
    public IReadOnlyList<Payout> List(Func<Payout, bool> wanted) =>
        [.. world.Store.Transact<IReadOnlyList<Payout>>(work => [.. work.ReadAll<Payout>(BtcPayStore.Payouts)]).Where(wanted).OrderByDescending(it => it.Number)];

    /// <summary>Sets the processor's alarms for all that waits for it.</summary>
    public void Resume()
    {
        foreach (var payout in List(it => it.StepAt is not null))
        {
            Remind(payout);
        }
    }

    public static JsonObject Shape(Payout it) => new()
    {
        ["id"] = it.Id,
        ["revision"] = it.Revision,
        ["pullPaymentId"] = it.PullPaymentId,
        ["date"] = it.CreatedAt.ToUnixTimeSeconds(),
        ["destination"] = it.Destination,
        ["originalCurrency"] = it.Currency,
        ["originalAmount"] = BtcPayRates.Plain(it.Amount),
        ["payoutCurrency"] = "BTC",
        ["payoutAmount"] = it.PayoutAmount is { } amount ? BtcPayRates.Bitcoin(amount) : null,
        ["payoutMethodId"] = it.Method,
        ["state"] = it.State.ToString(),
        ["paymentProof"] = it.Proof?.DeepClone(),
        ["metadata"] = it.Metadata?.DeepClone() ?? new JsonObject(),
    };

    /// <summary>Cancels what is still open, as part of the archiving of its pull payment.</summary>
    public void Cancel(SandboxStore.Work work, string pullPaymentId)
    {
        foreach (var payout in work.ReadWhere<Payout>(BtcPayStore.Payouts, it => (string?)it["pullPaymentId"] == pullPaymentId)
                     .Where(it => it.State is PayoutState.AwaitingApproval or PayoutState.AwaitingPayment))
        {
            Keep(work, payout with { State = PayoutState.Cancelled, StepAt = null }, "PayoutUpdated");
        }
    }

    private BtcPayAnswer Change(string id, Func<SandboxStore.Work, Payout, BtcPayAnswer> change) => world.Store.Transact(work =>
        work.Read<Payout>(BtcPayStore.Payouts, id) is { } payout ? change(work, payout) : BtcPayAnswer.NotFound("payout"));

    private static decimal InBitcoin(Payout it) =>
        it.Currency == "BTC" ? decimal.Floor(it.Amount / BtcPayRates.Satoshi) * BtcPayRates.Satoshi
        : decimal.Floor(it.Amount / BtcPayRates.Price(it.Currency) / BtcPayRates.Satoshi) * BtcPayRates.Satoshi;

    private static decimal Least(string method) => method == PaymentMethods.Chain ? Dust : BtcPayRates.Satoshi;

    private Payout Approved(Payout it, decimal coins) =>
        it with { State = PayoutState.AwaitingPayment, PayoutAmount = coins, Revision = it.Revision + 1, StepAt = Soon() };

    private DateTimeOffset Soon() => world.Time.GetUtcNow() + world.Options.PayoutStep;

    private void Keep(SandboxStore.Work work, Payout payout, string told)
    {
        work.Write(BtcPayStore.Payouts, payout.Id, payout);
        world.Hooks.Publish(work, told, [], new JsonObject
        {
            ["payoutId"] = payout.Id,
            ["pullPaymentId"] = payout.PullPaymentId,
            ["payoutState"] = payout.State.ToString(),
        });
        Remind(payout);
    }

    private void Remind(Payout payout)
    {
        if (payout.StepAt is { } at)
        {
            world.Agenda.Add(at, () => Step(payout.Id));
        }
    }

    /// <summary>The processor's next step, if it is still its turn.</summary>
    private void Step(string id) => world.Store.Transact(work =>
    {
        var controls = BtcPayWorld.Controls(work);
        if (controls.HoldPayouts || work.Read<Payout>(BtcPayStore.Payouts, id) is not { } payout || !(payout.StepAt <= world.Time.GetUtcNow()))
        {
            return;
        }

        var next = payout.State switch
        {
            PayoutState.AwaitingPayment when controls.CancelPayouts => payout with { State = PayoutState.Cancelled, StepAt = null },
            PayoutState.AwaitingPayment => payout with { State = PayoutState.InProgress, Proof = ProofOf(payout), StepAt = Soon() },
            PayoutState.InProgress => payout with { State = PayoutState.Completed, StepAt = null },
            _ => payout,
        };
        if (next != payout)
        {
            Keep(work, next, "PayoutUpdated");
        }
    });

    private static JsonObject ProofOf(Payout it)
    {
        var id = BtcPayStore.NewHash();
        return it.Method == PaymentMethods.Chain
            ? new JsonObject { ["proofType"] = "PayoutTransactionOnChainBlob", ["id"] = id, ["link"] = $"https://mempool.space/tx/{id}" }
            : new JsonObject { ["proofType"] = "PayoutLightningBlob", ["id"] = id, ["paymentHash"] = id };
    }

    [GeneratedRegex("^(bitcoin:)?((bc|tb|bcrt)1[02-9ac-hj-np-z]{25,87}|[13mn2][1-9A-HJ-NP-Za-km-z]{25,38})(\\?.*)?$", RegexOptions.IgnoreCase)]
    private static partial Regex Address();

    [GeneratedRegex(@"^[a-z0-9._+-]+@[a-z0-9.-]+(:[0-9]+)?$", RegexOptions.IgnoreCase)]
    private static partial Regex LightningAddress();

    [GeneratedRegex("^(lightning:)?(lnurl1[02-9ac-hj-np-z]{20,}|lnurlp://.+)$", RegexOptions.IgnoreCase)]
    private static partial Regex LightningUrl();
}
