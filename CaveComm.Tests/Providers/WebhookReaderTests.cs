using System.Security.Cryptography;
using System.Text;
using CaveComm.Domain.Payments;
using CaveComm.Providers.BtcPay;
using CaveComm.Providers.Stripe;
using Shouldly;

namespace CaveComm.Tests.Providers;

public sealed class WebhookReaderTests
{
    private const string Secret = "whsec_test_secret";
    private const string BtcPaySecret = "btcpay-secret";

    private static readonly DateTimeOffset SignedAt = DateTimeOffset.FromUnixTimeSeconds(1785000000);
    private static readonly byte[] CheckBody = """{"id":"evt_test"}"""u8.ToArray();

    private const string CheckVector = "t=1785000000,v1=e1bb70bd30092db4d080e949b329203586ab5241edf9daf36e0b440ed304cc09";
    private const string BtcPayVector = "sha256=7b5e8732ff6eea066e82929d6b7d619f5510acd44412ed403409a213d9775683";

    [Fact] // P1
    public void The_published_check_vectors_fit()
    {
        // They are signed rightly, but are no events.
        Stripe().Read(CheckBody, CheckVector, SignedAt).ShouldBeOfType<WebhookReading.Unreadable>();
        BtcPay().Read(CheckBody, BtcPayVector, SignedAt).ShouldBeOfType<WebhookReading.Unreadable>();
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("nonsense")]
    [InlineData("t=1785000000")]
    [InlineData("v1=e1bb70bd30092db4d080e949b329203586ab5241edf9daf36e0b440ed304cc09")]
    [InlineData("t=1785000001,v1=e1bb70bd30092db4d080e949b329203586ab5241edf9daf36e0b440ed304cc09")]
    [InlineData("t=1785000000,v0=e1bb70bd30092db4d080e949b329203586ab5241edf9daf36e0b440ed304cc09")]
    [InlineData("t=1785000000,v1=e1bb70bd30092db4d080e949b329203586ab5241edf9daf36e0b440ed304cc0")]
    [InlineData("t=1785000000,v1=zzbb70bd30092db4d080e949b329203586ab5241edf9daf36e0b440ed304cc09")]
    [InlineData("t=99999999999999999999,v1=00")]
    public void A_stripe_signature_that_does_not_fit_is_forged(string? signature) =>
        Stripe().Read(CheckBody, signature, SignedAt).ShouldBeOfType<WebhookReading.Forged>();

    [Fact]
    public void A_changed_body_is_forged()
    {
        Stripe().Read([.. CheckBody, (byte)'\n'], CheckVector, SignedAt).ShouldBeOfType<WebhookReading.Forged>();
        BtcPay().Read([.. CheckBody, (byte)'\n'], BtcPayVector, SignedAt).ShouldBeOfType<WebhookReading.Forged>();
    }

    [Fact]
    public void A_header_with_more_signatures_than_stripe_ever_sends_is_not_worked_through()
    {
        // Each is a hash over up to a mebibyte, made for somebody who has proved nothing.
        var wrong = string.Concat(Enumerable.Repeat($",v1={new string('0', 64)}", 400));
        Stripe().Read(CheckBody, CheckVector + wrong, SignedAt).ShouldBeOfType<WebhookReading.Forged>();
        Stripe().Read(CheckBody, CheckVector + wrong[..(68 * 5)], SignedAt).ShouldBeOfType<WebhookReading.Unreadable>();
    }

    [Fact]
    public void Without_a_secret_everything_is_forged()
    {
        new StripeWebhookReader([]).Read(CheckBody, CheckVector, SignedAt).ShouldBeOfType<WebhookReading.Forged>();
        new BtcPayWebhookReader([]).Read(CheckBody, BtcPayVector, SignedAt).ShouldBeOfType<WebhookReading.Forged>();
    }

    [Theory]
    [InlineData(-301, false)]
    [InlineData(-300, true)]
    [InlineData(300, true)]
    [InlineData(301, false)]
    public void A_signed_time_may_be_five_minutes_off(int seconds, bool believed) =>
        (Stripe().Read(CheckBody, CheckVector, SignedAt.AddSeconds(seconds)) is WebhookReading.Unreadable).ShouldBe(believed);

    [Fact]
    public void Several_secrets_and_several_signatures_are_tried()
    {
        var body = """{"object":"event","id":"evt_1","type":"invoice.paid"}"""u8.ToArray();
        var signature = $"t={SignedAt.ToUnixTimeSeconds()},v1={new string('0', 64)},v1={Sign("new", $"{SignedAt.ToUnixTimeSeconds()}.", body)}";

        new StripeWebhookReader(["old", "new"]).Read(body, signature, SignedAt).ShouldBeOfType<WebhookReading.Event>();
        new BtcPayWebhookReader(["old", BtcPaySecret]).Read(CheckBody, BtcPayVector, SignedAt).ShouldBeOfType<WebhookReading.Unreadable>();
    }

    [Theory]
    [InlineData("""{"id":"in_1","object":"invoice","metadata":{"commission_id":"0198a000-0000-7000-8000-000000000042"}}""", "in_1", null, null, true)]
    [InlineData("""{"id":"inpay_1","object":"invoice_payment","invoice":"in_1","payment":{"type":"payment_intent","payment_intent":"pi_1"}}""", "in_1", "pi_1", null, false)]
    [InlineData("""{"id":"pi_1","object":"payment_intent","metadata":{"commission_id":"42"}}""", null, "pi_1", null, false)]
    [InlineData("""{"id":"du_1","object":"dispute","payment_intent":"pi_1","metadata":{}}""", null, "pi_1", null, false)]
    [InlineData("""{"id":"po_1","object":"payout","metadata":{"commission_id":"0198a000-0000-7000-8000-000000000042"}}""", null, null, "po_1", true)]
    [InlineData("""{"id":"acct_1","object":"account"}""", null, null, null, false)]
    public void A_stripe_event_says_what_it_speaks_of(string it, string? invoice, string? payment, string? payout, bool named)
    {
        var body = Encoding.UTF8.GetBytes($$$"""{"id":"evt_1","object":"event","account":"acct_1","created":1785000000,"type":"some.type","data":{"object":{{{it}}}}}""");
        var signature = $"t=1785000000,v1={Sign(Secret, "1785000000.", body)}";

        Stripe().Read(body, signature, SignedAt).ShouldBe(
            new WebhookReading.Event("evt_1", "some.type", SignedAt, named ? Gateways.Commission : null, invoice, payment, payout, "acct_1") { PayoutAccount = it.Contains("\"account\"", StringComparison.Ordinal) ? "acct_1" : null });
    }

    [Theory]
    [InlineData("")]
    [InlineData("null")]
    [InlineData("[1]")]
    [InlineData("""{"object":"v2.core.event","id":"evt_1","type":"x"}""")]
    [InlineData("""{"object":"event","id":"evt_1","type":"x"}{}""")]
    [InlineData("""{"object":"event","id":7,"type":null}""")]
    [InlineData("""{"object":"event","id":"evt_\u0000","deliveryId":"d_\u0000","type":"x"}""")]
    [InlineData("""{"object":"event","id":"evt_1","deliveryId":"d_1","type":"x\n2026-01-01 a line of its own"}""")]
    public void What_is_signed_rightly_but_is_no_event_is_unreadable(string body)
    {
        var bytes = Encoding.UTF8.GetBytes(body);

        Stripe().Read(bytes, $"t=1785000000,v1={Sign(Secret, "1785000000.", bytes)}", SignedAt).ShouldBeOfType<WebhookReading.Unreadable>();
        BtcPay().Read(bytes, $"sha256={Sign(BtcPaySecret, "", bytes)}", SignedAt).ShouldBeOfType<WebhookReading.Unreadable>();
    }

    [Theory]
    [InlineData("..")]
    [InlineData("../../api-keys/current")]
    [InlineData("in_1?expand[]=customer")]
    [InlineData("in_\\u0000")]
    public void What_is_no_id_is_not_asked_about(string id)
    {
        var stripe = Encoding.UTF8.GetBytes($$$"""{"object":"event","id":"evt_1","type":"invoice.paid","data":{"object":{"object":"invoice","id":"{{{id}}}","payment_intent":"{{{id}}}"} } }""");
        var btcPay = Encoding.UTF8.GetBytes($$$"""{"deliveryId":"d_1","type":"InvoiceSettled","invoiceId":"{{{id}}}","payoutId":"{{{id}}}","pullPaymentId":"{{{id}}}"}""");

        Stripe().Read(stripe, $"t=1785000000,v1={Sign(Secret, "1785000000.", stripe)}", SignedAt).ShouldBe(new WebhookReading.Event("evt_1", "invoice.paid", null, null, null, null, null, null));
        BtcPay().Read(btcPay, $"sha256={Sign(BtcPaySecret, "", btcPay)}", SignedAt).ShouldBe(new WebhookReading.Event("d_1", "InvoiceSettled", null, null, null, null, null, null));
    }

    [Theory]
    [InlineData("originalDeliveryId")]
    [InlineData("orignalDeliveryId")]
    public void A_btcpay_redelivery_is_the_same_event(string member)
    {
        var body = Encoding.UTF8.GetBytes($$$"""
            {
              "deliveryId": "second", "{{{member}}}": "first", "isRedelivery": true, "type": "InvoiceSettled", "timestamp": 1785000000,
              "invoiceId": "Xq4", "metadata": { "commissionId": "{{{Gateways.Commission}}}" }
            }
            """);

        BtcPay().Read(body, $"sha256={Sign(BtcPaySecret, "", body)}", SignedAt).ShouldBe(
            new WebhookReading.Event("first", "InvoiceSettled", SignedAt, Gateways.Commission, "Xq4", null, null, null));
    }

    [Fact]
    public void The_examples_of_both_contracts_are_read()
    {
        foreach (var line in Contracts.Lines("examples/stripe-events.ndjson"))
        {
            var body = Encoding.UTF8.GetBytes(line);
            Stripe().Read(body, $"t=1785000000,v1={Sign(Secret, "1785000000.", body)}", SignedAt).ShouldBeOfType<WebhookReading.Event>(line);
        }

        foreach (var line in Contracts.Lines("examples/btcpay-webhooks.ndjson"))
        {
            var body = Encoding.UTF8.GetBytes(line);
            BtcPay().Read(body, $"sha256={Sign(BtcPaySecret, "", body)}", SignedAt).ShouldBeOfType<WebhookReading.Event>(line);
        }
    }

    private static StripeWebhookReader Stripe() => new([Secret]);

    private static BtcPayWebhookReader BtcPay() => new([BtcPaySecret]);

    private static string Sign(string secret, string prefix, byte[] body) =>
        Convert.ToHexStringLower(HMACSHA256.HashData(Encoding.UTF8.GetBytes(secret), (byte[])[.. Encoding.ASCII.GetBytes(prefix), .. body]));
}
