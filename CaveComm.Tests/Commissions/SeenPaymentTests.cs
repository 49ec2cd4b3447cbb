using CaveComm.Api.Commissions;
using CaveComm.Api.Notifications;
using CaveComm.Domain.Commissions;
using CaveComm.Projections.Commissions;
using CaveComm.Tests.Support;
using Shouldly;
using static CaveComm.Domain.Commissions.CommissionCommand;
using static CaveComm.Tests.Support.GivenCommission;
using static CaveComm.Tests.Support.Some;

namespace CaveComm.Tests.Commissions;

/// <summary>A payment in bitcoin is seen before it is confirmed: shown, and not yet paid.</summary>
public class SeenPaymentTests
{
    private static readonly CommissionEvent[] Open = [Requested, Accepted, InvoicedInBitcoin];
    private static readonly CommissionEvent[] Seen = [.. Open, PaymentSeen];

    [Fact]
    public void What_is_seen_is_recorded_once_and_only_of_the_open_invoice()
    {
        Given(Open).When(new RecordPaymentSeen("in_1")).Then(PaymentSeen);
        Given(Seen).When(new RecordPaymentSeen("in_1")).ThenNothing();
        Given(Open).When(new RecordPaymentSeen("in_9")).ThenNothing();
        Given([.. Open, InvoiceVoided]).When(new RecordPaymentSeen("in_1")).ThenNothing();
        Given([.. Open, Paid]).When(new RecordPaymentSeen("in_1")).ThenNothing();
    }

    [Fact]
    public void What_is_seen_is_not_paid()
    {
        var seen = State(Seen);
        seen.IsPaymentSeen.ShouldBeTrue();
        (seen.IsFullyPaid, seen.Received, seen.Status).ShouldBe((false, Euro(0), CommissionStatus.AwaitingPayment));
        Given([Requested, Accepted, InvoicedInBitcoin, PaymentSeen]).When(new UploadProduct(Files)).Then(Uploaded);
    }

    [Fact]
    public void While_it_waits_nobody_can_end_the_commission()
    {
        Given(Seen).When(new Withdraw()).ThenRefused("wrong-stage");
        Given(Seen).When(new Cancel(null)).ThenRefused("wrong-stage");
    }

    [Fact]
    public void What_is_confirmed_is_paid_and_no_longer_only_seen()
    {
        var paid = State([.. Seen, Paid]);
        (paid.IsPaymentSeen, paid.IsFullyPaid, paid.PaymentWasLost).ShouldBe((false, true, false));
    }

    [Fact]
    public void What_is_gone_again_is_recorded_once_for_each_time_that_it_was_seen()
    {
        Given(Seen).When(new RecordNothingSeen("in_1")).Then(PaymentVanished);
        Given(Open).When(new RecordNothingSeen("in_1")).ThenNothing();
        Given([.. Seen, PaymentVanished]).When(new RecordNothingSeen("in_1")).ThenNothing();
        Given([.. Seen, PaymentVanished]).When(new RecordPaymentSeen("in_1")).Then(PaymentSeen);
        State([.. Seen, PaymentVanished, PaymentSeen, PaymentVanished]).LostPayments.ShouldBe(2);
    }

    [Fact]
    public void After_it_is_gone_the_request_can_be_withdrawn_again() => Given([.. Seen, PaymentVanished]).When(new Withdraw()).Then(Withdrawn);

    [Fact]
    public void An_invoice_that_ends_takes_along_what_was_seen_of_it()
    {
        var invalid = State([.. Seen, InvoiceVoided]);
        (invalid.IsPaymentSeen, invalid.PaymentWasLost, invalid.LostPayments).ShouldBe((false, true, 1));
        State([.. Seen, InvoiceExpired]).PaymentWasLost.ShouldBeTrue();
        State([.. Open, InvoiceVoided]).PaymentWasLost.ShouldBeFalse();

        // Settled after Invalid, and another invoice: neither is the story of the lost payment any more.
        State([.. Seen, InvoiceVoided, Paid]).PaymentWasLost.ShouldBeFalse();
        State([.. Seen, InvoiceVoided, InvoiceReissued, InvoicedInBitcoin with { Attempt = 2, InvoiceId = "in_2" }]).PaymentWasLost.ShouldBeFalse();
    }

    [Fact]
    public void Whoever_paid_is_told_when_it_is_not_confirmed()
    {
        Letters(Seen, InvoiceVoided).ShouldBe([CustomerLetter.PaymentLost]);
        Letters(Seen, PaymentVanished).ShouldBe([CustomerLetter.PaymentLost]);
        Letters(Open, InvoiceVoided).ShouldBeEmpty();
        Letters(Open, PaymentSeen).ShouldBeEmpty();
    }

    [Fact]
    public void The_views_show_it_and_no_way_to_pay()
    {
        var key = $"commission:{CommissionId}";
        var seen = new CommissionDetailProjection().Fold(key, Seen).Last().ShouldNotBeNull();
        seen.Invoice!.Status.ShouldBe("processing");
        new CommissionDetailProjection().Fold(key, [.. Seen, PaymentVanished]).Last()!.Invoice!.Status.ShouldBe("open");
        new CommissionDetailProjection().Fold(key, [.. Seen, InvoiceVoided]).Last()!.Invoice!.Status.ShouldBe("void");
        var line = InboxLine.Of(new InboxProjection().Fold(key, Seen).Last().ShouldNotBeNull(), 0);
        (line.PaymentSeen, line.Status).ShouldBe((true, "awaitingPayment"));
    }

    private static IEnumerable<CustomerLetter> Letters(CommissionEvent[] before, CommissionEvent happened) => WhatFollows
        .After(CommissionId, State(before), happened, State([.. before, happened]))
        .Select(next => next.Message).OfType<MailCustomer>().Select(mail => mail.Letter);
}
