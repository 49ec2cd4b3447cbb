using CaveComm.Domain.Commissions;
using CaveComm.Domain.Payments;
using CaveComm.Tests.Support;
using Shouldly;
using static CaveComm.Domain.Commissions.CommissionEvent;

namespace CaveComm.Tests.Commissions;

/// <summary>Rules that hold in any life: whatever is asked and told, in whatever order, however often.</summary>
public class CommissionProperties
{
    [Fact]
    public void The_lives_that_are_begun_with_reach_every_status() =>
        Lives.All.Select(past => GivenCommission.State(past.Happened).Status).Distinct().ShouldBe(Enum.GetValues<CommissionStatus>(), ignoreOrder: true);

    [Fact]
    public void At_most_one_invoice_is_open() => Life.Always(life =>
    {
        var open = new HashSet<string>();
        foreach (var happened in life.Play().Happened)
        {
            switch (happened)
            {
                case InvoiceIssued e:
                    open.ShouldBeEmpty();
                    open.Add(e.InvoiceId);
                    break;
                case InvoiceExpired e:
                    open.Remove(e.InvoiceId).ShouldBeTrue();
                    break;
                case InvoiceVoided e:
                    open.Remove(e.InvoiceId).ShouldBeTrue();
                    break;
            }
        }
    });

    [Fact]
    public void An_invoice_asks_for_exactly_what_is_missing_of_accepted_work() => Life.Always(life =>
    {
        foreach (var (before, issued) in Each<InvoiceIssued>(life))
        {
            before.IsAccepted.ShouldBeTrue();
            issued.Amount.IsPositive.ShouldBeTrue();
            issued.Amount.ShouldBe(before.Price - before.Received - before.Waived);
        }
    });

    [Fact]
    public void Attempts_at_an_invoice_only_rise() => Life.Always(life =>
        Rises(life.Play().Happened.Select(e => e switch { InvoiceIssued x => x.Attempt, InvoiceSetUpFailed x => x.Attempt, _ => (int?)null })));

    [Fact]
    public void Each_payment_counts_once_and_only_if_it_came_in_time_or_was_honoured() => Life.Always(life =>
    {
        var played = life.Play();
        var payments = played.Happened.OfType<PaymentReceived>().ToList();
        payments.Select(p => p.PaymentId).ShouldBeUnique();
        var honoured = played.Happened.OfType<LatePaymentHonoured>().SelectMany(e => e.PaymentIds).ToHashSet();
        var counted = payments.Where(p => !p.Late || honoured.Contains(p.PaymentId)).ToList();
        played.End.Received.Minor.ShouldBe(counted.Sum(p => p.Amount.Minor));
        (played.End.ReceivedCoin?.Minor ?? 0).ShouldBe(counted.Sum(p => p.Received.Minor));
    });

    [Fact]
    public void Work_is_delivered_only_if_it_is_paid_or_was_released() => Life.Always(life =>
    {
        var isReleased = false;
        foreach (var step in life.Play().Steps)
        {
            isReleased |= step.Happened is ReleasedUnpaid;
            if (step.Happened is Delivered)
            {
                (isReleased || step.Before.Received.Minor + step.Before.Waived.Minor >= step.Before.Price.Minor).ShouldBeTrue();
            }
        }
    });

    [Fact]
    public void Each_version_of_the_product_is_delivered_at_most_once() => Life.Always(life =>
    {
        foreach (var (before, delivered) in Each<Delivered>(life))
        {
            delivered.ProductVersion.ShouldBe(before.ProductVersion);
        }

        life.Play().Happened.OfType<Delivered>().Select(e => e.ProductVersion).ShouldBeUnique();
    });

    [Fact]
    public void Paid_work_with_a_product_is_delivered_at_once() => Life.Always(life =>
    {
        var end = life.Play().End;
        if (end is { IsFullyPaid: true, IsAccepted: true, Ended: null, IsDisputed: false, IsRefundedInFull: false })
        {
            end.DeliveredVersion.ShouldBe(end.ProductVersion);
        }
    });

    [Fact]
    public void A_payout_is_in_flight_at_most_once_and_is_paid_at_most_once() => Life.Always(life =>
    {
        PayoutRequested? inFlight = null;
        var isPaidOut = false;
        foreach (var step in life.Play().Steps)
        {
            switch (step.Happened)
            {
                case PayoutRequested e:
                    inFlight.ShouldBeNull();
                    isPaidOut.ShouldBeFalse();
                    inFlight = e;
                    break;
                case PayoutFailed e:
                    inFlight.ShouldNotBeNull().Attempt.ShouldBe(e.Attempt);
                    inFlight = null;
                    break;
                case PaidOut e:
                    isPaidOut.ShouldBeFalse();
                    e.Amount.ShouldBe(inFlight.ShouldNotBeNull().Amount);
                    isPaidOut = true;
                    break;
            }
        }
    });

    [Fact]
    public void Payout_and_fee_are_exactly_the_money_that_came_in_and_stayed() => Life.Always(life =>
    {
        foreach (var (before, payout) in Each<PayoutRequested>(life))
        {
            before.IsDelivered.ShouldBeTrue();
            before.IsFullyPaid.ShouldBeTrue();
            (payout.Amount.Minor + payout.Fee.Minor + (payout.HeldBack?.Minor ?? 0)).ShouldBe(before.Held is { IsPositive: true } held ? held.Minor : before.LeftByHand.Minor);
            before.Refunds.ShouldAllBe(refund => refund.Standing != RefundStanding.Requested);
            before.Disputes.ShouldAllBe(dispute => dispute.Won != null);
            payout.Amount.Minor.ShouldBeGreaterThanOrEqualTo(0);
            payout.Fee.Minor.ShouldBeGreaterThanOrEqualTo(0);
        }
    });

    [Fact]
    public void Never_more_goes_back_on_our_word_than_came_in() => Life.Always(life =>
    {
        foreach (var (before, asked) in Each<RefundRequested>(life))
        {
            var payment = before.Payments.Single(p => p.PaymentId == asked.PaymentId);
            var gone = before.Refunds.Where(r => r.PaymentId == asked.PaymentId && r.Standing != RefundStanding.Failed).Sum(r => r.Amount.Minor);
            asked.Amount.IsPositive.ShouldBeTrue();
            (asked.Amount.Minor + gone).ShouldBeLessThanOrEqualTo(payment.Amount.Minor);
            before.Disputes.ShouldAllBe(d => d.PaymentId != asked.PaymentId || d.Won == true);
        }
    });

    [Fact]
    public void What_a_freelancer_owes_is_what_went_back_after_the_payout() => Life.Always(life =>
    {
        var played = life.Play();
        var balance = played.Steps.SelectMany(step => CommissionBalance.After(Some.CommissionId, step.Before, step.Happened)).ToList();
        balance.ShouldAllBe(change => change.Amount.Minor > 0);
        var folded = balance.Aggregate(Balance.Initial, (it, change) => it.Record(change).Events.Aggregate(it, Balance.Evolve));
        var heldBack = played.End.Payout?.HeldBack?.Minor ?? 0;
        folded.OwedMinor.ShouldBe(played.End.OwedMinor - heldBack);
    });

    [Fact]
    public void Attempts_at_a_payout_only_rise() => Life.Always(life => Rises(life.Play().Happened.Select(e => e is PayoutRequested x ? x.Attempt : (int?)null)));

    [Fact]
    public void What_has_ended_does_not_come_alive_again() => Life.Always(life =>
    {
        foreach (var step in life.Play().Steps.Where(step => HasEnded(step.Before.Status)))
        {
            step.After.Status.ShouldBe(step.Before.Status);
        }
    });

    [Fact]
    public void Nothing_is_made_delivered_or_paid_out_of_what_was_called_off() => Life.Always(life =>
    {
        foreach (var step in life.Play().Steps.Where(step => step.Before.Ended is not null))
        {
            (step.Happened is Accepted or ProductUploaded or ReleasedUnpaid or Delivered or PayoutRequested or PaidOut).ShouldBeFalse();
        }
    });

    [Fact]
    public void What_a_payout_comes_to_is_told_of_the_attempt_that_is_in_flight() => Life.Always(life =>
    {
        var it = GivenCommission.State(life.Past.Happened);
        foreach (var command in life.Commands)
        {
            var events = CommissionDecider.Decide(it, command).Events;
            var told = command switch
            {
                CommissionCommand.ConfirmPayout c => c.Attempt,
                CommissionCommand.RecordPayoutRefusal c => c.Attempt,
                _ => (int?)null,
            };
            if (events is not [] && told is not null)
            {
                told.ShouldBe(it.Payout!.Attempt);
            }

            it = events.Aggregate(it, Commission.Evolve);
        }
    });

    [Fact]
    public void Only_a_request_is_accepted_or_declined() => Life.Always(life =>
    {
        var played = life.Play();
        played.Happened.Count(e => e is Accepted or Declined).ShouldBeLessThanOrEqualTo(1);
        played.Happened.Count(e => e is Requested).ShouldBeLessThanOrEqualTo(1);
        foreach (var step in played.Steps.Where(step => step.Happened is Accepted or Declined))
        {
            step.Before.Status.ShouldBe(CommissionStatus.Requested);
        }
    });

    [Fact]
    public void Work_that_money_came_for_or_that_was_delivered_is_not_called_off() => Life.Always(life =>
    {
        foreach (var step in life.Play().Steps.Where(step => step.Happened is Withdrawn or Cancelled))
        {
            step.Before.PaymentIds.ShouldBeEmpty();
            step.Before.IsDelivered.ShouldBeFalse();
        }
    });

    [Fact]
    public void A_command_told_twice_in_a_row_is_carried_out_once() => Life.Always(life =>
    {
        var it = GivenCommission.State(life.Past.Happened);
        foreach (var command in life.Commands)
        {
            it = CommissionDecider.Decide(it, command).Events.Aggregate(it, Commission.Evolve);
            if (command is not (CommissionCommand.UploadProduct or CommissionCommand.Refund))
            {
                CommissionDecider.Decide(it, command).Events.ShouldBeEmpty();
            }
        }
    });

    [Fact]
    public void News_from_a_provider_that_was_recorded_is_never_recorded_again() => Life.Always(life =>
    {
        var it = GivenCommission.State(life.Past.Happened);
        var known = new List<CommissionCommand>();
        foreach (var command in life.Commands)
        {
            var decision = CommissionDecider.Decide(it, command);
            it = decision.Events.Aggregate(it, Commission.Evolve);
            if (decision.Events is not [] && IsNews(command))
            {
                known.Add(command);
            }

            foreach (var again in known)
            {
                CommissionDecider.Decide(it, again).Events.ShouldBeEmpty();
            }
        }
    });

    [Fact]
    public void What_is_decided_is_either_recorded_or_refused_with_reasons() => Life.Always(life =>
    {
        var it = GivenCommission.State(life.Past.Happened);
        foreach (var command in life.Commands)
        {
            var decision = CommissionDecider.Decide(it, command);
            if (decision.Refusal is { } refusal)
            {
                decision.Events.ShouldBeEmpty();
                refusal.Code.ShouldMatch("^[a-z]+(-[a-z]+)*$");
                refusal.Detail.ShouldEndWith(".");
            }

            it = decision.Events.Aggregate(it, Commission.Evolve);
        }
    });

    [Fact]
    public void The_status_is_the_same_however_the_events_are_folded() => Life.Always(life =>
    {
        var played = life.Play();
        var stored = Commission.Initial;
        foreach (var happened in played.Happened)
        {
            stored = StoreJson.Again(Commission.Evolve(stored, (CommissionEvent)StoreJson.Again<object>(happened)));
        }

        var atOnce = GivenCommission.State(played.Happened);
        atOnce.Status.ShouldBe(played.End.Status);
        StoreJson.Write(atOnce).ShouldBe(StoreJson.Write(played.End));
        StoreJson.Write(stored).ShouldBe(StoreJson.Write(played.End));
    });

    private static bool HasEnded(CommissionStatus status) =>
        status is CommissionStatus.Declined or CommissionStatus.Withdrawn or CommissionStatus.Cancelled;

    private static bool IsNews(CommissionCommand command) => command
        is CommissionCommand.RecordInvoice or CommissionCommand.RecordInvoiceRefusal or CommissionCommand.RecordInvoiceExpiry or CommissionCommand.RecordInvoiceVoid
        or CommissionCommand.RecordPayment or CommissionCommand.RecordPaymentFailure or CommissionCommand.RecordDownload
        or CommissionCommand.RecordPayoutRefusal or CommissionCommand.ConfirmPayout or CommissionCommand.RecordPayoutReversal or CommissionCommand.RecordCredit
        or CommissionCommand.RecordRefundOffer or CommissionCommand.RecordRefund or CommissionCommand.RecordRefundFailure or CommissionCommand.RecordDispute;

    private static IEnumerable<(Commission Before, TEvent Happened)> Each<TEvent>(Life life)
        where TEvent : CommissionEvent => life.Play().Steps.Where(step => step.Happened is TEvent).Select(step => (step.Before, (TEvent)step.Happened));

    private static void Rises(IEnumerable<int?> attempts)
    {
        var last = 0;
        foreach (var attempt in attempts.OfType<int>())
        {
            attempt.ShouldBeGreaterThan(last);
            last = attempt;
        }
    }
}
