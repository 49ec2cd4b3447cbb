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

    private static string NameOf(Guid commission, int number) => string.Create(CultureInfo.InvariantCulture, $"Refund {commission:N}/{number}");

    private async Task<JsonElement?> Find(Predicate<JsonElement> which, CancellationToken cancel)
    {
        var all = await btcPay.Get("find-refund", "pull-payments", "includeArchived=true", cancel);
        return all.IsDone
            ? all.Body.Items().Where(pull => which(pull)).Select(pull => (JsonElement?)pull).FirstOrDefault()
            : throw BtcPayClient.Unreadable("find-refund", all);
    }

    private async Task<RefundSnapshot> Snapshot(JsonElement pull, RefundOrder order, CancellationToken cancel)
    {
        var id = pull.Text("id") ?? throw new GatewayUnavailableException(BtcPayGateway.ProviderName, "the pull payment came back without an id.");
        var payouts = await btcPay.Get("fetch-claims", "payouts", "includeCancelled=false", cancel);
        if (!payouts.IsDone)
        {
            throw BtcPayClient.Unreadable("fetch-claims", payouts);
        }

        var sent = payouts.Body.Items()
            .Where(payout => payout.Text("pullPaymentId") == id && payout.Text("state") == "Completed")
            .Sum(payout => payout.Number("payoutAmount") ?? payout.Number("originalAmount") ?? 0);
        var isAll = BtcPayMoney.Satoshi(sent).Minor >= order.Coin.Minor;
        return new RefundSnapshot(
            id,
            order.Number,
            order.PaymentId,
            order.Amount,
            isAll ? order.Coin : Money.Zero("BTC"),
            isAll ? RefundProgress.Sent : pull.IsTrue("archived") && sent == 0 ? RefundProgress.Failed : RefundProgress.Pending,
            Uri.TryCreate(pull.Text("viewLink"), UriKind.Absolute, out var page) ? page : null,
            pull.IsTrue("archived") ? "withdrawn at the provider" : null);
    }

    private static RefundSnapshot Refused(RefundOrder order, string reason) =>
        new(null, order.Number, order.PaymentId, order.Amount, Money.Zero("BTC"), RefundProgress.Failed, Reason: reason);
}
