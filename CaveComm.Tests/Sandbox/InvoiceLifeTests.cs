using System.Text.Json.Nodes;
using CaveComm.Sandbox.BtcPay;
using CaveComm.Tests.Support;
using FsCheck.Fluent;
using Shouldly;

namespace CaveComm.Tests.Sandbox;

public sealed class InvoiceLifeTests
{
    private static readonly DateTimeOffset Noon = new(2026, 8, 1, 12, 0, 0, TimeSpan.Zero);
    private static readonly TimeSpan Confirmed = TimeSpan.FromSeconds(1);

    // The customer's side only: what people mark by hand follows no rule.
    private static readonly string[] Actions = ["pay", "pay-half", "pay-too-much", "pay-late", "expire", "decline", "pay-unconfirmed", "confirm", "vanish", "wait", "wait-long"];

    [Fact]
    public void Whatever_customers_do_an_invoice_keeps_its_word() => Rule.Holds(Gen.ListOf(Gen.Elements(Actions)), actions =>
    {
        var it = New();
        var now = Noon;
        var told = new List<InvoiceEvent>();
        foreach (var action in actions)
        {
            now += action switch { "wait" => Confirmed, "wait-long" => TimeSpan.FromMinutes(20), _ => TimeSpan.FromMilliseconds(100) };
            var life = new InvoiceLife(it, now);
            life.Advance();
            PayActions.Find(action, "chain", Confirmed)?.Invoke(life);
            var again = new InvoiceLife(life.It, now);
            again.Advance();
            again.Events.ShouldBeEmpty("time that has been applied changes nothing twice");
            if (it.Status is InvoiceStatus.Settled or InvoiceStatus.Invalid)
            {
                life.It.Status.ShouldBe(it.Status, "what is final stays");
            }

            it = life.It;
            told.AddRange(life.Events);
        }

        Count(told, "InvoiceSettled").ShouldBe(it.Status == InvoiceStatus.Settled ? 1 : 0);
        Count(told, "InvoiceExpired").ShouldBe(it.Status == InvoiceStatus.Expired ? 1 : 0);
        Count(told, "InvoiceReceivedPayment").ShouldBe(it.Payments.Length);
        Count(told, "InvoicePaymentSettled").ShouldBe(it.Payments.Count(payment => payment.Status == PaymentStatus.Settled));
        if (it.Status == InvoiceStatus.Settled)
        {
            it.Confirmed.ShouldBeGreaterThanOrEqualTo(it.Due);
            it.Additional.ShouldBe(it.Paid > it.Due ? AdditionalStatus.PaidOver : AdditionalStatus.None);
        }
    });

    [Fact]
    public void A_tolerance_forgives_a_small_lack()
    {
        var life = new InvoiceLife(New() with { Tolerance = 1 }, Noon);
        life.Receive(PaymentMethods.Lightning, 0.0009899m, "short", null);
        life.It.Status.ShouldBe(InvoiceStatus.New);
        life.Receive(PaymentMethods.Lightning, 0.0000001m, "enough", null);
        (life.It.Status, life.It.Additional).ShouldBe((InvoiceStatus.Settled, AdditionalStatus.None));
    }

    [Fact]
    public void Bech32_agrees_with_the_address_of_bip_173() =>
        Bech32.Encode("tb", [0, .. Bech32.Words(Convert.FromHexString("751e76e8199196d454941c45d1b3a323f1433bd6"))])
            .ShouldBe("tb1qw508d6qejxtdg4y5r3zarvary0c5xw7kxpjzsx");

    [Theory]
    [InlineData("lnbc712340n1", "0.00071234")]
    [InlineData("lnbcrt1m1", "0.001")]
    [InlineData("lntb10p1", "0.00000000001")]
    [InlineData("lnbc1", null)]
    public void A_lightning_invoice_names_its_amount_in_its_head(string head, string? bitcoin)
    {
        var text = head + new string('q', 60);
        Bolt11.LooksLikeOne(text).ShouldBeTrue();
        Bolt11.AmountOf(text)?.ToString("0.###########", System.Globalization.CultureInfo.InvariantCulture).ShouldBe(bitcoin);
        (Bolt11.AmountOf(text) is null).ShouldBe(bitcoin is null);
    }

    private static int Count(List<InvoiceEvent> told, string type) => told.Count(it => it.Type == type);

    private static Invoice New() => new()
    {
        Id = "invoice",
        Number = 1,
        Amount = 64.39m,
        Currency = "EUR",
        Metadata = [],
        Checkout = new JsonObject { ["paymentMethods"] = new JsonArray("BTC-CHAIN", "BTC-LN") },
        Receipt = [],
        CreatedAt = Noon,
        ExpiresAt = Noon + TimeSpan.FromMinutes(15),
        MonitoredUntil = Noon + TimeSpan.FromDays(1),
        Due = 0.001m,
        Address = Bech32.NewAddress(),
        Lightning = Bolt11.New(100_000_000, "Portrait", Noon, TimeSpan.FromMinutes(15)),
    };
}
