using System.Text.Json;
using CaveComm.Domain;
using CaveComm.Domain.Payments;
using CaveComm.Providers.Http;

namespace CaveComm.Providers.Stripe;

/// <summary>Money that was transferred to a freelancer's account and is taken back from there.</summary>
/// <remarks>Stripe takes it from whatever lies on the account, and refuses when that is less: what went on to the bank stays there.</remarks>
internal sealed class StripeReversals(StripeClient stripe)
{
    private const string BeforePayout = "before_payout";

    public async Task<ReversalSnapshot> Reverse(ReversalOrder order, CancellationToken cancel)
    {
        if (StripeMoney.ToStripe(order.Amount) is not { } amount)
        {
            return Refused(order, $"Stripe cannot take back {order.Amount}.");
        }

        // Stripe forgets keys after a day, so an earlier call's work is looked for first.
        var transfers = (await Transfers(order.Commission, cancel)).Where(transfer => transfer.Id("destination") == order.Destination
            && string.Equals(transfer.Text("currency"), order.Amount.Currency, StringComparison.OrdinalIgnoreCase)).ToList();
        foreach (var reversal in await Reversals(transfers, cancel))
        {
            if (reversal.Text("metadata", "reversal_key") == order.Key)
            {
                return Snapshot(reversal);
            }
        }

        if (transfers.Find(transfer => StripePayouts.Held(transfer) > 0) is not { ValueKind: JsonValueKind.Object } left)
        {
            return Refused(order, "Nothing of the transfer is left.") with { Amount = Money.Zero(order.Amount.Currency) };
        }

        var made = await stripe.Post(
            "reverse-transfer",
            $"v1/transfers/{ProviderHttp.Segment(left.Text("id") ?? throw Nameless("transfer"))}/reversals",
            order.Key,
            new StripeForm
            {
                ["amount"] = Math.Min(amount, StripePayouts.Held(left)),
                ["metadata"] = new StripeForm { ["commission_id"] = order.Commission.ToString(), ["reversal_key"] = order.Key, [BeforePayout] = order.IsBeforePayout ? true : null },
            },
            null,
            cancel);
        return made.IsDone ? Snapshot(made.Body) : Refused(order, made.Reason);
    }

    /// <summary>All that was taken back of a commission's transfers after its payout, whoever asked for it.</summary>
    /// <param name="payoutAt">When the payout was made. What was taken back before never was part of it.</param>
    public async Task<IReadOnlyList<ReversalSnapshot>> Of(Guid commission, DateTimeOffset? payoutAt, CancellationToken cancel)
    {
        var reversals = (await Reversals(await Transfers(commission, cancel), cancel))
            .Where(reversal => reversal.Text("metadata", BeforePayout) is null && !(reversal.Time("created") < payoutAt)).ToList();
        return reversals is [] ? [] : [.. reversals.Select(Snapshot)];
    }

    private Task<IReadOnlyList<JsonElement>> Transfers(Guid commission, CancellationToken cancel) =>
        stripe.List("find-transfer", "v1/transfers", () => new StripeForm { ["transfer_group"] = StripePayouts.Group(commission) }, null, cancel);

    private async Task<List<JsonElement>> Reversals(IEnumerable<JsonElement> transfers, CancellationToken cancel)
    {
        var reversals = new List<JsonElement>();
        foreach (var transfer in transfers.Where(it => it.Whole("amount_reversed") is > 0))
        {
            var id = ProviderHttp.Segment(transfer.Text("id") ?? throw Nameless("transfer"));
            reversals.AddRange(await stripe.List("list-reversals", $"v1/transfers/{id}/reversals", () => [], null, cancel));
        }

        return reversals;
    }

    private static ReversalSnapshot Refused(ReversalOrder order, string reason) => new(null, order.Amount, IsOurs: true, reason);

    /// <exception cref="ProviderFaultException">It takes back nothing. Noted as that, it would stand in the way of what was truly taken.</exception>
    private static ReversalSnapshot Snapshot(JsonElement reversal)
    {
        var id = reversal.Text("id") ?? throw Nameless("reversal");
        return reversal.Whole("amount") is { } amount and > 0 && reversal.Text("currency") is { Length: 3 } currency
            ? new(id, StripeMoney.FromStripe(amount, currency), reversal.Text("metadata", "reversal_key") is not null)
            : throw new ProviderFaultException(StripeGateway.ProviderName, $"reversal {id} says of no amount how much was taken back.");
    }

    private static GatewayUnavailableException Nameless(string what) => new(StripeGateway.ProviderName, $"the {what} came back without an id.");
}
