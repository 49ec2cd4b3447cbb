using CaveComm.Domain;
using CaveComm.Domain.Commissions;
using CaveComm.Projections.Commissions;
using CaveComm.Tests.Support;
using Shouldly;
using static CaveComm.Tests.Support.Some;

namespace CaveComm.Tests.Commissions;

/// <summary>The billing view as a fold over many commissions.</summary>
public class BillingTests
{
    [Fact]
    public void A_day_gathers_the_money_of_all_commissions()
    {
        var day = Fold(Invoiced, Paid, PaidOut, Invoiced with { InvoiceId = "in_2" }).ShouldNotBeNull();

        day.Rows.Select(row => (row.Kind, row.Reference)).ShouldBe(
            [(BillingKind.Invoiced, "in_1"), (BillingKind.Received, "pi_1"), (BillingKind.PaidOut, "tr_1"), (BillingKind.Fee, "tr_1"), (BillingKind.Invoiced, "in_2")]);
        BillingTotals.Of(day.Rows).ShouldBe([new(Euro(240_00), Euro(120_00), Euro(6_00), Euro(0), Euro(0), Euro(114_00), Euro(0))]);
    }

    [Fact]
    public void An_invoice_that_nobody_can_pay_any_more_is_taken_back() =>
        BillingTotals.Of(Fold(Invoiced, InvoiceExpired, Invoiced, InvoiceVoided)!.Rows).ShouldBe([new(Euro(0), Euro(0), Euro(0), Euro(0), Euro(0), Euro(0), Euro(0))]);

    [Fact]
    public void Bitcoin_stands_beside_the_currency_of_the_invoice() =>
        BillingTotals.Of(Fold(InvoicedInBitcoin, PaidInBitcoin)!.Rows).ShouldBe(
        [
            new(Satoshi(0), Satoshi(200_000), Satoshi(0), Satoshi(0), Satoshi(0), Satoshi(0), Satoshi(200_000)),
            new(Euro(120_00), Euro(0), Euro(0), Euro(0), Euro(0), Euro(0), Euro(0)),
        ]);

    [Fact]
    public void Money_that_went_back_or_was_taken_is_no_longer_in_the_balance()
    {
        var totals = BillingTotals.Of(Fold(Invoiced, Paid, Refunded, DisputeOpened, DisputeWon, Refunded with { RefundId = "re_2", Number = 2 }, RefundFailed with { RefundId = "re_2", Number = 2 })!.Rows);

        totals.ShouldBe([new(Euro(120_00), Euro(120_00), Euro(0), Euro(20_00), Euro(0), Euro(0), Euro(100_00))]);
    }

    [Fact]
    public void What_a_life_received_is_what_its_billing_shows() => Life.Always(life =>
    {
        var played = life.Play();
        var rows = Fold([.. played.Happened])?.Rows ?? [];
        var expected = played.Happened.OfType<CommissionEvent.PaymentReceived>().GroupBy(it => it.Received.Currency)
            .ToDictionary(it => it.Key, it => it.Aggregate(Money.Zero(it.Key), (sum, payment) => sum + payment.Received));
        BillingTotals.Of(rows).Where(sum => !sum.Received.IsZero).ToDictionary(sum => sum.Received.Currency, sum => sum.Received)
            .ShouldBe(expected.Where(it => !it.Value.IsZero).ToDictionary(), ignoreOrder: true);
    });

    private static BillingDay? Fold(params CommissionEvent[] happened)
    {
        var projection = new BillingProjection();
        return happened.Select((e, i) => new Recorded(e, i + 1, StreamKey.Commission(CommissionId)))
            .Aggregate((BillingDay?)null, (day, e) => projection.Evolve(day, "ada/2026-03-01", e));
    }
}
