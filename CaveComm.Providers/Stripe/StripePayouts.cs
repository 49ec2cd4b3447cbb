using System.Text.Json;
using CaveComm.Domain;
using CaveComm.Domain.Payments;
using CaveComm.Providers.Http;

namespace CaveComm.Providers.Stripe;

/// <summary>Two steps: a transfer from the platform to the freelancer's connected account, then a payout from there to the bank.</summary>
/// <remarks>
/// The payout can be refused after the transfer was made (the charge's money is often not available yet), and the next attempt bears another key.
/// So a transfer is never judged by the key alone: what this commission has put on the account and not paid out is counted, and only what is
/// missing is transferred, and what is too much by now is taken back.
/// </remarks>
internal sealed class StripePayouts(StripeClient stripe, StripeReversals reversals)
{
    public async Task<PayoutSnapshot> Request(PayoutOrder order, CancellationToken cancel)
    {
        if (!IsAccount(order.Destination))
        {
            return Refused("The payout destination is no connected account (acct_…).");
        }

        if (StripeMoney.ToStripe(order.Amount) is not { } amount)
        {
            return Refused($"Stripe cannot pay out {order.Amount}.");
        }

        var transfers = await Transfers(order, cancel);
        if (transfers.Find(transfer => transfer.Id("destination") != order.Destination && Held(transfer) > 0) is { ValueKind: JsonValueKind.Object } elsewhere)
        {
            // The destination was changed after money had gone to the old one: to send it again would be to pay twice.
            return Refused($"The money was transferred to {elsewhere.Id("destination")} already. Set that account as the payout destination again.");
        }

        var payouts = transfers.Count == 0 ? [] : await Payouts(order, transfers, cancel);
        if (payouts.FirstOrDefault(payout => payout.Text("metadata", "payout_key") == order.Key) is { ValueKind: JsonValueKind.Object } earlier)
        {
            return Snapshot(earlier);
        }

        var onAccount = transfers.Sum(Held)
            - payouts.Where(payout => payout.Text("status") is not ("failed" or "canceled")).Sum(payout => payout.Whole("amount") ?? 0);
        var missing = amount - onAccount;
        if (missing > 0)
        {
            var transferred = await Transfer(order, missing, cancel);
            if (!transferred.IsDone)
            {
                return Refused(transferred.Reason);
            }
        }
        else if (missing < 0)
        {
            // A refund or a debt made the payout less since the refused one, or its fee is rounded otherwise. Where Stripe will not give it back,
            // the payout is made all the same: the rest stays on the account.
            var excess = StripeMoney.FromStripe(-missing, order.Amount.Currency);
            await reversals.Reverse(new ReversalOrder($"{order.Key}/excess", order.Commission, order.Destination, excess, IsBeforePayout: true), cancel);
        }

        var made = await stripe.Post(
            "create-payout",
            "v1/payouts",
            $"{order.Key}/payout",
            new StripeForm
            {
                ["amount"] = amount,
                ["currency"] = StripeMoney.Code(order.Amount),
                ["method"] = "standard",
                ["metadata"] = Metadata(order),
            },
            order.Destination,
            cancel);
        return made.IsDone ? Snapshot(made.Body) : Refused(made.Reason);
    }

    public async Task<PayoutSnapshot?> Fetch(string payoutId, string destination, CancellationToken cancel)
    {
        if (!IsAccount(destination))
        {
            return null;
        }

        var answer = await stripe.Get("fetch-payout", $"v1/payouts/{ProviderHttp.Segment(payoutId)}", null, destination, cancel);
        if (answer.IsDone)
        {
            // What was taken back is asked about once the payout is at its end: until then the transfer itself is counted.
            var payout = Snapshot(answer.Body);
            return payout.Standing != PayoutStanding.Pending && Guid.TryParse(answer.Body.Text("metadata", "commission_id"), out var commission)
                ? payout with { Reversals = await reversals.Of(commission, answer.Body.Time("created"), cancel) }
                : payout;
        }

        return answer.IsMissing || answer.ErrorCode == "account_invalid"
            ? null
            : throw new GatewayRefusedException(StripeGateway.ProviderName, $"payout {payoutId} cannot be read ({answer.ErrorCode ?? "refused"}).");
    }

    private async Task<List<JsonElement>> Transfers(PayoutOrder order, CancellationToken cancel)
    {
        var inGroup = await stripe.List(
            "find-transfer", "v1/transfers", () => new StripeForm { ["transfer_group"] = Group(order.Commission) }, null, cancel);
        return [.. inGroup.Where(transfer => HasCurrency(transfer, order.Amount))];
    }

    private async Task<List<JsonElement>> Payouts(PayoutOrder order, List<JsonElement> transfers, CancellationToken cancel)
    {
        var since = transfers.Min(transfer => transfer.Time("created") ?? DateTimeOffset.UnixEpoch);
        var onAccount = await stripe.List(
            "find-payout", "v1/payouts", () => new StripeForm { ["created"] = new StripeForm { ["gte"] = since } }, order.Destination, cancel);
        return [.. onAccount.Where(payout =>
            payout.Text("metadata", "commission_id") == order.Commission.ToString() && HasCurrency(payout, order.Amount))];
    }

    private Task<ProviderAnswer> Transfer(PayoutOrder order, long amount, CancellationToken cancel) => stripe.Post(
        "create-transfer",
        "v1/transfers",
        $"{order.Key}/transfer",
        new StripeForm
        {
            ["amount"] = amount,
            ["currency"] = StripeMoney.Code(order.Amount),
            ["destination"] = order.Destination,
            ["transfer_group"] = Group(order.Commission),

            // Tied to the charge it is accepted before the charge's money is available.
            ["source_transaction"] = order.Charge,
            ["metadata"] = Metadata(order),
        },
        null,
        cancel);

    /// <summary>What has not been taken back of it.</summary>
    public static long Held(JsonElement transfer) => (transfer.Whole("amount") ?? 0) - (transfer.Whole("amount_reversed") ?? 0);

    private static StripeForm Metadata(PayoutOrder order) =>
        new() { ["commission_id"] = order.Commission.ToString(), ["payout_key"] = order.Key };

    /// <summary>All transfers of a commission are in one group.</summary>
    public static string Group(Guid commission) => $"commission_{commission}";

    private static bool HasCurrency(JsonElement found, Money amount) =>
        string.Equals(found.Text("currency"), amount.Currency, StringComparison.OrdinalIgnoreCase);

    private static bool IsAccount(string destination) =>
        destination.StartsWith("acct_", StringComparison.Ordinal) && destination.Length is > 5 and <= 64
        && destination.AsSpan(5).IndexOfAnyExcept(IdCharacters) < 0;

    private static readonly System.Buffers.SearchValues<char> IdCharacters =
        System.Buffers.SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_");

    private static PayoutSnapshot Refused(string reason) => new(null, PayoutStanding.Refused, reason);

    private static PayoutSnapshot Snapshot(JsonElement payout)
    {
        var id = payout.Text("id") ?? throw new GatewayUnavailableException(StripeGateway.ProviderName, "the payout came back without an id.");
        return payout.Text("status") switch
        {
            // Stripe says paid when the money should have arrived; a bank can still send it back within days, and then it is failed.
            "paid" => new(id, PayoutStanding.Paid, null),
            "failed" => new(id, PayoutStanding.Refused, payout.Text("failure_message") ?? payout.Text("failure_code") ?? "failed"),
            "canceled" => new(id, PayoutStanding.Refused, "canceled"),
            _ => new(id, PayoutStanding.Pending, null),
        };
    }
}
