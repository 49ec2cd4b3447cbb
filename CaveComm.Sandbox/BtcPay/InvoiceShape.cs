using System.Text.Json.Nodes;

namespace CaveComm.Sandbox.BtcPay;

/// <summary>Invoices in the API's words.</summary>
internal static class InvoiceShape
{
    public static JsonObject Of(Invoice it, string storeId, Uri baseUrl, bool withPaymentMethods = false)
    {
        var shape = new JsonObject
        {
            ["id"] = it.Id,
            ["storeId"] = storeId,
            ["amount"] = BtcPayRates.Plain(it.Amount ?? PaidAmount(it)),
            ["paidAmount"] = BtcPayRates.Plain(PaidAmount(it)),
            ["currency"] = it.Currency,
            ["type"] = it.Amount is null ? "TopUp" : "Standard",
            ["checkoutLink"] = new Uri(baseUrl, $"i/{it.Id}").AbsoluteUri,
            ["createdTime"] = it.CreatedAt.ToUnixTimeSeconds(),
            ["expirationTime"] = it.ExpiresAt.ToUnixTimeSeconds(),
            ["monitoringExpiration"] = it.MonitoredUntil.ToUnixTimeSeconds(),
            ["status"] = it.Status.ToString(),
            ["additionalStatus"] = it.Additional.ToString(),
            ["availableStatusesForManualMarking"] = Marks(it),
            ["archived"] = it.Archived,
            ["metadata"] = it.Metadata.DeepClone(),
            ["checkout"] = it.Checkout.DeepClone(),
            ["receipt"] = it.Receipt.DeepClone(),
        };
        if (withPaymentMethods)
        {
            shape["paymentMethods"] = Methods(it, onlyAccounted: true);
        }

        return shape;
    }

    public static JsonArray Methods(Invoice it, bool onlyAccounted) =>
        [.. it.Checkout["paymentMethods"]!.AsArray().Select(method => Method(it, (string)method!, onlyAccounted))];

    public static JsonObject Payment(Payment it) => new()
    {
        ["id"] = it.Id,
        ["receivedDate"] = it.ReceivedAt.ToUnixTimeSeconds(),
        ["value"] = BtcPayRates.Bitcoin(it.Value),
        ["fee"] = "0.0",
        ["status"] = it.Status.ToString(),
        ["destination"] = it.Destination,
    };

    /// <summary>In the invoice's currency. Satoshis don't divide evenly, so a full payment is shown as the price it covered.</summary>
    public static decimal PaidAmount(Invoice it) =>
        it.Amount is { } amount && it.Paid == it.Due ? amount : BtcPayRates.FromBitcoin(it.Paid, it.Currency);

    private static JsonArray Marks(Invoice it)
    {
        var marks = new JsonArray();
        if (it.MaySettle)
        {
            marks.Add(nameof(InvoiceStatus.Settled));
        }

        if (it.MayInvalidate)
        {
            marks.Add(nameof(InvoiceStatus.Invalid));
        }

        return marks;
    }

    private static JsonObject Method(Invoice it, string method, bool onlyAccounted)
    {
        var chain = method == PaymentMethods.Chain;
        var destination = chain ? it.Address : it.Lightning.Text;
        var left = BtcPayRates.Bitcoin(Math.Max(0, it.Due - it.Paid));
        var payments = it.Payments.Where(payment => payment.Method == method);
        return new JsonObject
        {
            ["paymentMethodId"] = method,
            ["currency"] = "BTC",
            ["destination"] = destination,
            ["paymentLink"] = chain ? $"bitcoin:{destination}?amount={left}" : $"lightning:{destination}",
            ["rate"] = BtcPayRates.Plain(BtcPayRates.Price(it.Currency)),
            ["paymentMethodPaid"] = BtcPayRates.Bitcoin(payments.Where(Accounted).Sum(payment => payment.Value)),
            ["totalPaid"] = BtcPayRates.Bitcoin(it.Paid),
            ["due"] = BtcPayRates.Bitcoin(it.Due - it.Paid),
            ["amount"] = BtcPayRates.Bitcoin(it.Due),
            ["paymentMethodFee"] = "0",
            ["activated"] = true,
            ["payments"] = new JsonArray([.. payments.Where(payment => !onlyAccounted || Accounted(payment)).Select(Payment)]),
            ["additionalData"] = new JsonObject(),
        };
    }

    private static bool Accounted(Payment payment) => payment.Status != PaymentStatus.Invalid;
}
