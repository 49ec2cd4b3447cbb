using System.Text.Json.Nodes;

namespace CaveComm.Sandbox.BtcPay;

/// <summary>The store, its rates, the server, and the key that is used.</summary>
internal static class StoreApi
{
    private static readonly string[] Enabled = [PaymentMethods.Chain, PaymentMethods.Lightning];

    public static void Map(BtcPayRoutes routes, BtcPayWorld world)
    {
        routes.Anonymous("GET", "health", _ => BtcPayAnswer.Ok(new JsonObject { ["synchronized"] = true }));
        routes.Add("GET", "server/info", _ => BtcPayAnswer.Ok(new JsonObject
        {
            ["version"] = "2.4.1",
            ["onion"] = null,
            ["supportedPaymentMethods"] = new JsonArray(PaymentMethods.Chain, PaymentMethods.Lightning, PaymentMethods.LightningUrl),
            ["fullySynched"] = true,
            ["syncStatus"] = new JsonArray(),
        }));
        routes.Add("GET", "api-keys/current", _ => BtcPayAnswer.Ok(new JsonObject
        {
            ["apiKey"] = world.Options.ApiKey,
            ["label"] = "CaveComm",
            ["permissions"] = new JsonArray([.. Permissions(world.Options.StoreId).Select(it => JsonValue.Create(it))]),
        }));
        routes.Add("GET", "stores", _ => BtcPayAnswer.Ok(new JsonArray(Store(world))));
        routes.InStore("GET", "", _ => BtcPayAnswer.Ok(Store(world)), isShortToo: false);
        routes.InStore(
            "GET",
            "payment-methods",
            _ => BtcPayAnswer.Ok(new JsonArray([.. Enabled.Select(it => new JsonObject { ["paymentMethodId"] = it, ["enabled"] = true, ["config"] = null })])),
            isShortToo: false);
        routes.InStore("GET", "rates", Rates, isShortToo: false);
    }

    private static BtcPayAnswer Rates(BtcPayCall call)
    {
        var pairs = call.Query("currencyPair").SelectMany(it => it.Split(',')).ToList();
        var rates = new JsonArray();
        foreach (var (at, pair) in pairs.DefaultIfEmpty("BTC_EUR").Index())
        {
            if (pair.Split('_') is not [{ Length: > 0 } left, { Length: > 0 } right])
                return BtcPayAnswer.Invalid(($"currencyPair[{at}]", $"The currency pair '{pair}' was invalid"));
            var rate = BtcPayRates.Pair(left.ToUpperInvariant(), right.ToUpperInvariant());
            var line = new JsonObject
            {
                ["currencyPair"] = $"{left}_{right}".ToUpperInvariant(),
                ["errors"] = rate is null ? new JsonArray("RateFetchError") : new JsonArray(),
            };
            if (rate is { } price)
                line["rate"] = BtcPayRates.Plain(price / 1.0000000000m);
            rates.Add(line);
        }

        return BtcPayAnswer.Ok(rates);
    }

    private static JsonObject Store(BtcPayWorld world) => new()
    {
        ["id"] = world.Options.StoreId,
        ["name"] = "CaveComm Sandbox",
        ["website"] = null,
        ["defaultCurrency"] = "EUR",
        ["invoiceExpiration"] = 900,
        ["monitoringExpiration"] = 86400,
        ["displayExpirationTimer"] = 300,
        ["refundBOLT11Expiration"] = 30,
        ["speedPolicy"] = "MediumSpeed",
        ["paymentTolerance"] = 0.0,
        ["archived"] = false,
        ["anyoneCanCreateInvoice"] = false,
        ["lazyPaymentMethods"] = false,
        ["redirectAutomatically"] = false,
        ["defaultPaymentMethod"] = PaymentMethods.Lightning,
        ["networkFeeMode"] = "MultiplePaymentsOnly",
    };

    private static IEnumerable<string> Permissions(string store) =>
        ((string[])
        [
            "btcpay.store.cancreateinvoice", "btcpay.store.canviewinvoices", "btcpay.store.canmodifyinvoices",
            "btcpay.store.webhooks.canmodifywebhooks", "btcpay.store.cancreatenonapprovedpullpayments", "btcpay.store.cancreatepullpayments",
            "btcpay.store.canviewpullpayments", "btcpay.store.canarchivepullpayments", "btcpay.store.canviewpayouts", "btcpay.store.canmanagepayouts",
            "btcpay.store.canviewstoresettings", "btcpay.store.cancreatelightninginvoice", "btcpay.store.canuselightningnode",
        ]).Select(it => $"{it}:{store}");
}
