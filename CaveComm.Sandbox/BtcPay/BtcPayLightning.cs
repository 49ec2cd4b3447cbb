using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;

namespace CaveComm.Sandbox.BtcPay;

/// <summary>A Lightning invoice of the node itself, not of the store. No webhook tells of it.</summary>
/// <param name="Amount">In millisatoshi; 0 leaves it to the payer.</param>
internal sealed record NodeInvoice(
    string Id,
    Bolt11 Lightning,
    long Amount,
    DateTimeOffset ExpiresAt,
    DateTimeOffset? PaidAt,
    long AmountReceived);

/// <summary>The store's Lightning node, and the network outside that pays to it.</summary>
internal sealed class BtcPayLightning(BtcPayWorld world)
{
    private const string Hashes = "btcpay.lightning-hashes";

    public void Map(BtcPayRoutes routes)
    {
        routes.InStore("POST", "lightning/{coin}/invoices", Create, isShortToo: false);
        routes.InStore("GET", "lightning/{coin}/invoices/{id}", call => world.Store.Transact(work =>
            work.Read<NodeInvoice>(BtcPayStore.LightningInvoices, call.Route("id"))) is { } found
            ? BtcPayAnswer.Ok(Shape(found))
            : BtcPayAnswer.NotFound("invoice"), isShortToo: false);
        routes.InStore("POST", "lightning/{coin}/invoices/pay", PayOut, isShortToo: false);
        routes.InStore("GET", "lightning/{coin}/payments/{hash}", call => world.Store.Find(BtcPayStore.LightningPayments, call.Route("hash")) is { } payment
            ? BtcPayAnswer.Ok(payment)
            : BtcPayAnswer.NotFound("payment"), isShortToo: false);
        routes.InStore("GET", "lightning/{coin}/balance", _ => BtcPayAnswer.Ok(new JsonObject
        {
            ["onchain"] = new JsonObject { ["confirmed"] = "100000000", ["unconfirmed"] = "0", ["reserved"] = "0" },
            ["offchain"] = new JsonObject { ["opening"] = "0", ["local"] = "50000000000", ["remote"] = "50000000000", ["closing"] = "0" },
        }), isShortToo: false);
    }

    /// <summary>Somebody in the network pays a bolt11 of ours: one of the node's, or the Lightning side of a store invoice.</summary>
    public BtcPayAnswer PayIn(BtcPayCall call)
    {
        var bolt11 = call.Body.Text("BOLT11") ?? call.Body.Text("bolt11") ?? "";
        var node = world.Store.Transact(work => (string?)work.Find(Hashes, bolt11)?["id"] is { } id
            ? work.Read<NodeInvoice>(BtcPayStore.LightningInvoices, id)
            : null);
        return node is not null ? PayNode(node.Id) : PayStore(bolt11);
    }

    private BtcPayAnswer PayNode(string id) => world.Store.Transact(work =>
    {
        var it = work.Read<NodeInvoice>(BtcPayStore.LightningInvoices, id)!;
        var now = world.Time.GetUtcNow();
        if (it.PaidAt is not null)
            return BtcPayAnswer.Refused("already-paid", "This invoice has been paid");
        if (it.ExpiresAt <= now)
            return BtcPayAnswer.Refused("expired", "This invoice has expired");
        work.Write(BtcPayStore.LightningInvoices, id, it with { PaidAt = now, AmountReceived = it.Amount });
        return Receipt(it.Lightning, it.Amount);
    });

    private BtcPayAnswer PayStore(string bolt11)
    {
        var id = world.Store.Transact(work =>
            work.Where(BtcPayStore.Invoices, it => (string?)it["lightning"]!["text"] == bolt11).Select(it => (string)it["id"]!).FirstOrDefault());
        if (id is null || world.Invoices.Find(id) is not { } invoice)
            return BtcPayAnswer.Refused("could-not-find-route", "Nobody here has made this invoice");
        if (invoice.Status != InvoiceStatus.New)
            return BtcPayAnswer.Refused(invoice.Status == InvoiceStatus.Expired ? "expired" : "already-paid", $"This invoice is {invoice.Status}");
        world.Invoices.Change(invoice.Id, life => PayActions.Pay(life, PaymentMethods.Lightning, world.Options.ConfirmAfter));
        return Receipt(invoice.Lightning, (long)(invoice.Due * 100_000_000_000m));
    }

    private static BtcPayAnswer Receipt(Bolt11 bolt11, long amount) => BtcPayAnswer.Ok(new JsonObject
    {
        ["paymentHash"] = bolt11.PaymentHash,
        ["preimage"] = bolt11.Preimage,
        ["amount"] = BtcPayRates.Plain(amount),
    });

    private BtcPayAnswer Create(BtcPayCall call)
    {
        var body = call.Body;
        if (body.Number("amount") is not (>= 0 and < 2_100_000_000_000_000_000m and var amount))
        {
            body.Wrong("amount", "Amount should be more or equals to 0");
            return BtcPayAnswer.Invalid(body.Faults);
        }

        var expiry = TimeSpan.FromSeconds((double)Math.Clamp(body.Number("expiry") ?? 86400, 1, 31_536_000));
        var description = body.Text("description") ?? "";
        if (body.Faults.Count > 0)
            return BtcPayAnswer.Invalid(body.Faults);
        var now = world.Time.GetUtcNow();
        var bolt11 = Bolt11.New((long)amount, description, now, expiry);
        var made = new NodeInvoice(bolt11.PaymentHash, bolt11, (long)amount, now + expiry, null, 0);
        world.Store.Transact(work =>
        {
            work.Write(BtcPayStore.LightningInvoices, made.Id, made);
            work.Put(Hashes, bolt11.Text, new JsonObject { ["id"] = made.Id });
        });
        return BtcPayAnswer.Ok(Shape(made));
    }

    /// <summary>The node pays: whatever is well formed arrives, and a second time is the first.</summary>
    private BtcPayAnswer PayOut(BtcPayCall call)
    {
        var bolt11 = call.Body.Text("BOLT11") ?? "";
        if (!Bolt11.LooksLikeOne(bolt11))
            return BtcPayAnswer.Invalid(("BOLT11", "The BOLT11 invoice was invalid."));
        return world.Store.Transact(work =>
        {
            var hash = Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(System.Text.Encoding.ASCII.GetBytes(bolt11)));
            if (work.Find(BtcPayStore.LightningPayments, hash) is { } before)
                return BtcPayAnswer.Ok(before);
            var amount = BtcPayRates.Plain(decimal.Truncate((Bolt11.AmountOf(bolt11) ?? 0) * 100_000_000_000m));
            var payment = new JsonObject
            {
                ["id"] = hash,
                ["status"] = "Complete",
                ["BOLT11"] = bolt11,
                ["paymentHash"] = hash,
                ["preimage"] = BtcPayStore.NewHash(),
                ["createdAt"] = world.Time.GetUtcNow().ToUnixTimeSeconds(),
                ["totalAmount"] = amount,
                ["feeAmount"] = "0",
            };
            work.Put(BtcPayStore.LightningPayments, hash, payment);
            return new BtcPayAnswer(StatusCodes.Status200OK, payment);
        });
    }

    private JsonObject Shape(NodeInvoice it) => new()
    {
        ["id"] = it.Id,
        ["status"] = it.PaidAt is not null ? "Paid" : it.ExpiresAt <= world.Time.GetUtcNow() ? "Expired" : "Unpaid",
        ["BOLT11"] = it.Lightning.Text,
        ["paidAt"] = it.PaidAt?.ToUnixTimeSeconds(),
        ["expiresAt"] = it.ExpiresAt.ToUnixTimeSeconds(),
        ["amount"] = BtcPayRates.Plain(it.Amount),
        ["amountReceived"] = it.PaidAt is null ? null : BtcPayRates.Plain(it.AmountReceived),
        ["paymentHash"] = it.Lightning.PaymentHash,
        ["preimage"] = it.PaidAt is null ? null : it.Lightning.Preimage,
        ["customRecords"] = null,
    };
}
