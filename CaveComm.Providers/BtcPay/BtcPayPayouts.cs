using System.Text.Json;
using System.Text.Json.Nodes;
using CaveComm.Domain.Payments;
using CaveComm.Providers.Http;

namespace CaveComm.Providers.BtcPay;

/// <summary>Payouts of the store, without pull payments: the amount is in bitcoin and goes to the freelancer's own address.</summary>
internal sealed class BtcPayPayouts(BtcPayClient btcPay)
{
    // A payout to the same destination is open; it ends with a Lightning payment or a confirmation.
    private static readonly TimeSpan DestinationBusy = TimeSpan.FromMinutes(1);

    public async Task<PayoutSnapshot> Request(PayoutOrder order, CancellationToken cancel)
    {
        if (order.Amount.Currency != "BTC")
        {
            return new PayoutSnapshot(null, PayoutStanding.Refused, $"BTCPay pays out bitcoin, not {order.Amount.Currency}.");
        }

        if (await FindEarlier(order.Key, cancel) is { } earlier)
        {
            return await Approved(earlier, cancel);
        }

        var made = await btcPay.Post("create-payout", "payouts", Body(order), isRepeatable: false, cancel);
        return made switch
        {
            { IsDone: true } => await Approved(made.Body, cancel),
            { ErrorCode: "duplicate-destination" } => throw new GatewayUnavailableException(
                BtcPayGateway.ProviderName, "another payout to this destination is still open; payouts to one destination go one after another.", DestinationBusy),
            { ErrorCode: "generic-error" } or { IsMissing: true } => throw BtcPayClient.Unreadable("create-payout", made),
            _ => new PayoutSnapshot(null, PayoutStanding.Refused, Discretion.Without(made.Reason, order.Destination)),
        };
    }

    public async Task<PayoutSnapshot?> Fetch(string payoutId, CancellationToken cancel)
    {
        var answer = await btcPay.Get("fetch-payout", Path(payoutId), "", cancel);
        return answer.IsDone ? Snapshot(answer.Body) : answer.IsMissing ? null : throw BtcPayClient.Unreadable("fetch-payout", answer);
    }

    private static string Path(string payoutId) => $"payouts/{ProviderHttp.Segment(payoutId)}";

    private async Task<JsonElement?> FindEarlier(string key, CancellationToken cancel)
    {
        var all = await btcPay.List("find-payout", "payouts", "includeCancelled=true", cancel);
        return all
            .Where(payout => payout.Text("metadata", "payoutKey") == key)
            .Select(payout => (JsonElement?)payout)
            .FirstOrDefault();
    }

    // Approved in the creating request itself: between two requests we could fall over, and a payout would wait for a person.
    private static JsonObject Body(PayoutOrder order) => new()
    {
        ["destination"] = order.Destination,
        ["amount"] = BtcPayMoney.Coins(order.Amount),
        ["payoutMethodId"] = MethodOf(order.Destination),
        ["approved"] = true,
        ["metadata"] = new JsonObject { ["source"] = "CaveComm", ["payoutKey"] = order.Key, ["commissionId"] = order.Commission.ToString() },
    };

    /// <summary>Lightning address, bolt11 or LNURL; all else is an on-chain address or BIP21 URI.</summary>
    internal static string MethodOf(string destination)
    {
        var bare = destination.StartsWith("lightning:", StringComparison.OrdinalIgnoreCase) ? destination[10..] : destination;
        return bare.Contains('@', StringComparison.Ordinal)
            || bare.StartsWith("lnbc", StringComparison.OrdinalIgnoreCase)
            || bare.StartsWith("lntb", StringComparison.OrdinalIgnoreCase)
            || bare.StartsWith("lnurl", StringComparison.OrdinalIgnoreCase)
            ? "BTC-LN"
            : "BTC-CHAIN";
    }

    /// <summary>Approves what is left unapproved, as it is when the rate or a permission was missing at creation.</summary>
    private async Task<PayoutSnapshot> Approved(JsonElement payout, CancellationToken cancel)
    {
        var snapshot = Snapshot(payout);
        if (payout.Text("state") != "AwaitingApproval")
        {
            return snapshot;
        }

        var body = new JsonObject { ["revision"] = payout.Whole("revision") ?? 0 };
        var approved = await btcPay.Post("approve-payout", Path(snapshot.PayoutId!), body, isRepeatable: true, cancel);
        if (approved.IsDone)
        {
            return Snapshot(approved.Body);
        }

        // "amount-too-low" cancels the payout as well; a stale revision or somebody's own approval is no fault. The payout itself says which it was.
        var now = await btcPay.Get("fetch-payout", Path(snapshot.PayoutId!), "", cancel);
        if (!now.IsDone || now.Body.Text("state") == "AwaitingApproval")
        {
            throw BtcPayClient.Unreadable("approve-payout", approved);
        }

        return Snapshot(now.Body) is { Standing: PayoutStanding.Refused } refused ? refused with { Reason = approved.Reason } : Snapshot(now.Body);
    }

    private static PayoutSnapshot Snapshot(JsonElement payout)
    {
        var id = payout.Text("id") ?? throw new GatewayUnavailableException(BtcPayGateway.ProviderName, "the payout came back without an id.");
        return payout.Text("state") switch
        {
            "Completed" => new(id, PayoutStanding.Paid, null),
            "Cancelled" => new(id, PayoutStanding.Refused, "cancelled"),
            _ => new(id, PayoutStanding.Pending, null),
        };
    }
}
