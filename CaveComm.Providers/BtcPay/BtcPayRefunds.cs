using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using CaveComm.Domain;
using CaveComm.Domain.Payments;
using CaveComm.Providers.Http;

namespace CaveComm.Providers.BtcPay;

/// <summary>Refunds as pull payments: the customer's coins are put aside, and the customer says at the provider's page where they shall go.</summary>
/// <remarks>
/// The refund is the same share of the coins that came in, at no new rate: neither side wins by waiting. BTCPay's own refund of an invoice cannot
/// be of a part and approved at once, and bears no key; a pull payment of the store bears ours as its name and is searched for before one is made.
/// </remarks>
internal sealed class BtcPayRefunds(BtcPayClient btcPay)
{
    public async Task<RefundSnapshot> Request(RefundOrder order, CancellationToken cancel)
    {
        if (order.Coin.Currency != "BTC" || !order.Coin.IsPositive)
        {
            return Refused(order, $"BTCPay refunds bitcoin that came in, not {order.Coin}.");
        }

        var name = NameOf(order.Commission, order.Number);
        if (await Find(pull => pull.Text("name") == name, cancel) is { } earlier)
        {
            return await Snapshot(earlier, order, cancel);
        }

        var made = await btcPay.Post(
            "create-refund",
            "pull-payments",
            new JsonObject
            {
                ["name"] = name,
                ["description"] = "Your refund: say where it shall go.",
                ["amount"] = BtcPayMoney.Coins(order.Coin),
                ["currency"] = "BTC",
                ["payoutMethods"] = new JsonArray("BTC-CHAIN", "BTC-LN"),
                ["autoApproveClaims"] = true,
            },
            isRepeatable: false,
            cancel);
        return made switch
        {
            { IsDone: true } => await Snapshot(made.Body, order, cancel),
            { ErrorCode: "generic-error" } or { IsMissing: true } => throw BtcPayClient.Unreadable("create-refund", made),
            _ => Refused(order, made.Reason),
        };
    }

    /// <param name="order">What was asked for: a pull payment says nothing of prices.</param>
    public async Task<RefundSnapshot?> Fetch(RefundOrder order, string refundId, CancellationToken cancel) =>
        await Find(pull => pull.Text("id") == refundId, cancel) is { } pull ? await Snapshot(pull, order, cancel) : null;

    /// <summary>An archived pull payment takes no claims. One that is gone takes none either.</summary>
    public async Task Withdraw(string refundId, CancellationToken cancel)
    {
        var gone = await btcPay.Delete("withdraw-refund", $"pull-payments/{ProviderHttp.Segment(refundId)}", cancel);
        if (!gone.IsDone && !gone.IsMissing)
        {
            throw new GatewayRefusedException(BtcPayGateway.ProviderName, $"refund {refundId} cannot be withdrawn ({gone.ErrorCode ?? "refused"}).");
        }
    }

    private static string NameOf(Guid commission, int number) => string.Create(CultureInfo.InvariantCulture, $"Refund {commission:N}/{number}");

    private async Task<JsonElement?> Find(Predicate<JsonElement> which, CancellationToken cancel)
    {
        var all = await btcPay.List("find-refund", "pull-payments", "includeArchived=true", cancel);
        return all.Where(pull => which(pull)).Select(pull => (JsonElement?)pull).FirstOrDefault();
    }

    private async Task<RefundSnapshot> Snapshot(JsonElement pull, RefundOrder order, CancellationToken cancel)
    {
        var id = pull.Text("id") ?? throw new GatewayUnavailableException(BtcPayGateway.ProviderName, "the pull payment came back without an id.");
        var payouts = await btcPay.List("fetch-claims", "payouts", "includeCancelled=false", cancel);
        var claims = payouts.Where(payout => payout.Text("pullPaymentId") == id && payout.Text("state") != "Cancelled").ToList();
        var sent = claims.Where(payout => payout.Text("state") == "Completed")
            .Select(payout => BtcPayMoney.Satoshi(BtcPayMoney.Told(payout, payout.Text("payoutAmount") is null ? "originalAmount" : "payoutAmount")))
            .Aggregate(Money.Zero("BTC"), (sum, claim) => sum + claim);

        // Withdrawn, it takes no further claims. Those that are under way still arrive; what arrived of it before stays with the customer.
        var isOver = pull.IsTrue("archived") && claims.TrueForAll(payout => payout.Text("state") == "Completed");
        var progress = sent.Minor >= order.Coin.Minor || (isOver && sent.IsPositive) ? RefundProgress.Sent : isOver ? RefundProgress.Failed : RefundProgress.Pending;
        var isAll = sent.Minor >= order.Coin.Minor;
        return new RefundSnapshot(
            id,
            order.Number,
            order.PaymentId,
            progress != RefundProgress.Sent || isAll ? order.Amount : order.Amount with { Minor = (long)((Int128)order.Amount.Minor * sent.Minor / order.Coin.Minor) },
            progress != RefundProgress.Sent ? Money.Zero("BTC") : isAll ? order.Coin : sent,
            progress,
            WebPage.Of(pull.Text("viewLink")),
            pull.IsTrue("archived") ? "withdrawn at the provider" : null);
    }

    private static RefundSnapshot Refused(RefundOrder order, string reason) =>
        new(null, order.Number, order.PaymentId, order.Amount, Money.Zero("BTC"), RefundProgress.Failed, Reason: reason);
}
