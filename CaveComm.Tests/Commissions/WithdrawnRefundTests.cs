using CaveComm.Api.Commissions;
using CaveComm.Api.Recurring;
using CaveComm.Domain;
using CaveComm.Domain.Commissions;
using CaveComm.Domain.Payments;
using CaveComm.Projections.Commissions;
using CaveComm.Tests.Support;
using Shouldly;
using static CaveComm.Tests.Support.GivenCommission;
using static CaveComm.Tests.Support.Some;

namespace CaveComm.Tests.Commissions;

/// <summary>An offer of a refund that nobody claims is taken back.</summary>
public class WithdrawnRefundTests
{
    private static readonly CommissionEvent.RefundRequested Asked = RefundRequested with { Provider = PaymentProviders.BtcPay };
    private static readonly CommissionEvent[] Paid = [RequestedOnDelivery, Accepted, Uploaded, InvoicedInBitcoin, PaidInBitcoin, Delivered];
    private static readonly CommissionEvent[] Offered = [.. Paid, Asked, RefundOffered];
    private static readonly CommissionCommand.WithdrawRefund Withdraw = new(1);

    [Fact]
    public void An_offer_is_withdrawn_once()
    {
        Given(Offered).When(Withdraw).Then(RefundWithdrawn);
        Given([.. Offered, RefundWithdrawn]).When(Withdraw).ThenNothing();
    }

    [Fact]
    public void Only_what_waits_to_be_claimed_can_be_withdrawn()
    {
        Given(Paid).When(Withdraw).ThenRefused(RefusalKind.Missing, "no-such-refund");
        Given([.. Paid, Asked]).When(Withdraw).ThenRefused(RefusalKind.Conflict, "wrong-stage");
        Given([Requested, Accepted, Invoiced, Some.Paid, RefundRequested]).When(Withdraw).ThenRefused("wrong-stage");
        Given([.. Offered, Refunded with { RefundId = "pp_1", Sent = Satoshi(30_000) }]).When(Withdraw).ThenRefused("wrong-stage");
        Given([.. Offered, RefundFailed with { RefundId = "pp_1", Sent = Satoshi(0) }]).When(Withdraw).ThenRefused("wrong-stage");
    }

    [Fact]
    public void The_provider_is_told_and_the_payout_waits_until_it_has_answered()
    {
        var (before, after) = (State(Offered), State([.. Offered, RefundWithdrawn]));
        WhatFollows.After(CommissionId, before, RefundWithdrawn, after).Select(next => next.Message).ShouldBe([new WithdrawRefund(CommissionId, 1)]);
        Reconciliation.Lost(CommissionId, after).ShouldBe(new WithdrawRefund(CommissionId, 1));
        (before.NeedsPayout, after.NeedsPayout).ShouldBe((false, false));

        var failed = RefundFailed with { RefundId = "pp_1", Sent = Satoshi(0) };
        var over = State([.. Offered, RefundWithdrawn, failed]);
        over.NeedsPayout.ShouldBeTrue();
        WhatFollows.After(CommissionId, after, failed, over).Select(next => next.Message).ShouldContain(new PayoutDue(CommissionId, 0));
    }

    [Fact]
    public void What_was_claimed_in_the_same_moment_still_counts_as_sent() =>
        State([.. Offered, RefundWithdrawn, Refunded with { RefundId = "pp_1", Sent = Satoshi(30_000) }]).Refunds.ShouldHaveSingleItem().Standing.ShouldBe(RefundStanding.Refunded);

    [Fact]
    public void Nobody_is_led_to_an_offer_that_was_withdrawn() =>
        new CommissionDetailProjection().Fold($"commission:{CommissionId}", [.. Offered, RefundWithdrawn]).Last().ShouldNotBeNull().Refunds.ShouldHaveSingleItem().ClaimUrl.ShouldBeNull();
}
