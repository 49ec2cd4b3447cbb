using CaveComm.Domain;
using CaveComm.Domain.Commissions;
using CaveComm.Domain.Payments;
using CaveComm.Projections.Payments;
using CaveComm.Tests.Commissions;
using CaveComm.Tests.Support;
using Shouldly;
using static CaveComm.Tests.Support.Some;

namespace CaveComm.Tests.Payments;

/// <summary>What is paid for, and what became of it.</summary>
public class PurchaseTests
{
    private const string Told = "stripe-event:evt_1";
    private static readonly string Key = StreamKey.Purchase(CommissionId);

    [Fact]
    public void A_payment_without_an_invoice_or_without_a_subscription_is_for_something_bought_once()
    {
        PurchaseKinds.Of(null).ShouldBe(PurchaseKind.Once);
        PurchaseKinds.Of(new PaymentInvoice("in_1", SubscriptionId: null)).ShouldBe(PurchaseKind.Once);
    }

    [Fact]
    public void A_payment_whose_invoice_renews_a_subscription_recurs() =>
        PurchaseKinds.Of(new PaymentInvoice("in_1", "sub_1")).ShouldBe(PurchaseKind.Recurring);

    [Fact]
    public void A_commission_paid_up_front_is_started_paid_and_fulfilled()
    {
        Purchase(Requested, Accepted, Invoiced, Paid, Uploaded, Delivered, Uploaded with { ProductVersion = 2 }, Delivered with { ProductVersion = 2 }).ShouldBe(
        [
            new PurchaseEvent.PurchaseStarted($"commission:{CommissionId}", 1, PaymentProviders.Stripe, "in_1", Price, Shop),
            new PurchaseEvent.PaymentSucceeded("in_1", "pi_1", Price, Noon, Late: false, Shop, Told),
            new PurchaseEvent.PurchaseFulfilled(1, Shop),
        ]);
    }

    [Fact]
    public void A_failed_try_a_refund_and_a_dispute_are_tracked_with_who_told_of_them()
    {
        Purchase(Requested, Accepted, Invoiced, PaymentFailed, Paid, RefundRequested, Refunded, RefundFailed, DisputeOpened, DisputeLost)[1..].ShouldBe(
        [
            new PurchaseEvent.PaymentAttemptFailed("pi_0", Told),
            new PurchaseEvent.PaymentSucceeded("in_1", "pi_1", Price, Noon, Late: false, Shop, Told),
            new PurchaseEvent.PurchaseRefunded("re_1", Euro(20_00), Told),
            new PurchaseEvent.PurchaseRefunded("re_1", Euro(-20_00), Told),
            new PurchaseEvent.PurchaseDisputed("dp_1", Price, null, Told),
            new PurchaseEvent.PurchaseDisputed("dp_1", Price, Won: false, Told),
        ]);
    }

    [Fact]
    public void A_refund_that_was_refused_before_it_was_sent_is_none() =>
        Purchase(Requested, Accepted, Invoiced, Paid, RefundRequested, RefundFailed).OfType<PurchaseEvent.PurchaseRefunded>().ShouldBeEmpty();

    [Fact]
    public void In_any_life_each_payment_succeeds_once_and_the_purchase_is_fulfilled_at_most_once() => Life.Always(life =>
    {
        var played = life.Play();
        var tracked = Purchase([.. played.Happened]);
        tracked.OfType<PurchaseEvent.PaymentSucceeded>().Select(it => it.PaymentId).ShouldBe(played.End.Payments.Select(it => it.PaymentId));
        tracked.OfType<PurchaseEvent.PurchaseFulfilled>().Count().ShouldBe(played.End.IsDelivered ? 1 : 0);
        tracked.OfType<PurchaseEvent.PurchaseRefunded>().Sum(it => it.Amount.Minor)
            .ShouldBe(played.End.Refunds.Where(it => it.Standing == RefundStanding.Refunded).Sum(it => it.Amount.Minor));
    });

    [Fact]
    public void The_tracking_shows_each_step_with_its_time_and_who_told_of_it()
    {
        var track = Track(Requested, Accepted, Invoiced, Paid, Uploaded, Delivered);

        track.Status.ShouldBe(PurchaseStatus.Fulfilled);
        track.Steps.Select(step => (step.Kind, step.Reference, step.ToldBy)).ShouldBe([("purchase-started", "in_1", null), ("payment-succeeded", "pi_1", Told), ("purchase-fulfilled", "1", null)]);
        track.Steps.Select(step => step.At).ShouldBeInOrder();
        track.WaitingSince.ShouldBeNull();
    }

    [Fact]
    public void What_is_paid_and_has_a_product_that_nobody_was_given_is_waiting()
    {
        Track(Requested, Accepted, Invoiced, Paid).WaitingSince.ShouldBeNull("Work that is paid up front has to be made first.");
        var late = Track(Requested, Accepted, Invoiced, Paid, Uploaded);
        late.Status.ShouldBe(PurchaseStatus.Paid);
        late.WaitingSince.ShouldNotBeNull().ShouldBe(late.ProductAt!.Value);
        Track(Requested, Accepted, Invoiced, Paid, Uploaded, Cancelled).WaitingSince.ShouldBeNull();
        Track(Requested, Accepted, Invoiced, Paid, Uploaded, Refunded with { Amount = Price }).WaitingSince.ShouldBeNull();
        Track(Requested, Accepted, Uploaded, Invoiced, InvoiceExpired, PaidLate).WaitingSince.ShouldBeNull();
    }

    [Fact]
    public void Late_money_counts_once_it_is_honoured()
    {
        CommissionEvent[] late = [Requested, Accepted, Invoiced, InvoiceExpired, PaidLate];
        Track(late).Status.ShouldBe(PurchaseStatus.Started);
        Track([.. late, Honoured]).Status.ShouldBe(PurchaseStatus.Paid);
    }

    [Fact]
    public void Money_that_went_back_or_was_taken_shows()
    {
        Track(Requested, Accepted, Invoiced, Paid, Refunded with { Amount = Price }).Status.ShouldBe(PurchaseStatus.Refunded);
        Track(Requested, Accepted, Invoiced, Paid, DisputeOpened).Status.ShouldBe(PurchaseStatus.Disputed);
        Track(Requested, Accepted, Invoiced, Paid, DisputeOpened, DisputeWon).Status.ShouldBe(PurchaseStatus.Paid);
    }

    [Fact]
    public void No_life_by_the_rules_leaves_anything_paid_and_waiting() => Life.Always(life => Track([.. life.Play().Happened])?.WaitingSince.ShouldBeNull());

    private static List<PurchaseEvent> Purchase(params CommissionEvent[] happened) => [.. Both(happened).OfType<PurchaseEvent>()];

    // The events of both streams, as they are written.
    private static IEnumerable<object> Both(IEnumerable<CommissionEvent> happened)
    {
        var it = Commission.Initial;
        foreach (var e in happened)
        {
            yield return e;
            if (CommissionPurchase.After(CommissionId, it, e, Told) is { } tracked)
            {
                yield return tracked;
            }

            it = Commission.Evolve(it, e);
        }
    }

    private static PurchaseTrack Track(params CommissionEvent[] happened)
    {
        var projection = new PurchaseProjection();
        return Both(happened).Where(e => e is PurchaseEvent or CommissionEvent.ProductUploaded or CommissionEvent.LatePaymentHonoured or CommissionEvent.Withdrawn or CommissionEvent.Cancelled)
            .Select((e, i) => new Recorded(e, i + 1, e is PurchaseEvent ? Key : StreamKey.Commission(CommissionId)))
            .Aggregate((PurchaseTrack?)null, (track, e) => projection.Evolve(track, Key, e))!;
    }
}
