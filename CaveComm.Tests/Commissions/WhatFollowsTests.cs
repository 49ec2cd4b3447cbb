using CaveComm.Api.Commissions;
using CaveComm.Api.Notifications;
using CaveComm.Domain.Commissions;
using CaveComm.Tests.Support;
using Shouldly;
using static CaveComm.Tests.Support.Some;

namespace CaveComm.Tests.Commissions;

public class WhatFollowsTests
{
    private static readonly Guid Id = CommissionId;

    [Fact]
    public void A_request_is_acknowledged_and_the_freelancer_is_told() =>
        After([], Requested).ShouldBe([Customer(CustomerLetter.RequestReceived), Freelancer(FreelancerLetter.NewRequest)]);

    [Fact]
    public void Work_agreed_elsewhere_is_not_acknowledged_as_a_request() => After([], Requested with { Template = AgreedWork }).ShouldBeEmpty();

    [Fact]
    public void Acceptance_of_up_front_work_sets_the_invoice_up() => After([Requested], Accepted).ShouldBe([new(new SetUpInvoice(Id, 1))]);

    [Fact]
    public void Acceptance_of_work_paid_on_delivery_tells_the_customer_that_it_begins() =>
        After([RequestedOnDelivery], Accepted).ShouldBe([Customer(CustomerLetter.WorkBegins)]);

    [Fact]
    public void A_declined_customer_is_written_to() => After([Requested], Declined).ShouldBe([Customer(CustomerLetter.Declined)]);

    [Fact]
    public void A_withdrawn_request_is_told_to_the_freelancer() => After([Requested], Withdrawn).ShouldBe([Freelancer(FreelancerLetter.Withdrawn)]);

    [Fact]
    public void Withdrawing_makes_the_open_invoice_void() =>
        After([Requested, Accepted, Invoiced], Withdrawn).ShouldBe([Freelancer(FreelancerLetter.Withdrawn), new(new VoidInvoice(Id, "in_1"))]);

    [Fact]
    public void Cancelling_tells_the_customer_and_makes_the_open_invoice_void() =>
        After([Requested, Accepted, Invoiced], Cancelled).ShouldBe([Customer(CustomerLetter.Cancelled), new(new VoidInvoice(Id, "in_1"))]);

    [Fact]
    public void Stripe_mails_its_own_invoice_and_the_payment_is_asked_about() =>
        After([Requested, Accepted], Invoiced).ShouldBe([new(new SendInvoice(Id, "in_1")), new(new CheckInvoice(Id, "in_1", 0), TimeSpan.FromMinutes(1))]);

    [Fact]
    public void CaveComm_mails_the_invoices_of_BTCPay() =>
        After([RequestedOnDelivery, Accepted, Uploaded], InvoicedInBitcoin)
            .ShouldBe([Customer(CustomerLetter.Invoice, 1), new(new CheckInvoice(Id, "in_1", 0), TimeSpan.FromMinutes(1))]);

    [Fact]
    public void An_invoice_that_came_after_the_end_is_made_void_and_mailed_to_nobody() =>
        After([Requested, Accepted, Cancelled], Invoiced).ShouldBe([new(new VoidInvoice(Id, "in_1"))]);

    [Fact]
    public void A_refused_invoice_is_told_to_the_freelancer() =>
        After([Requested, Accepted], InvoiceRefused).ShouldBe([Freelancer(FreelancerLetter.InvoiceRefused, 1)]);

    [Fact]
    public void An_expired_invoice_is_told_to_both() =>
        After([Requested, Accepted, Invoiced], InvoiceExpired).ShouldBe([Customer(CustomerLetter.InvoiceExpired, 2), Freelancer(FreelancerLetter.InvoiceExpired, 2)]);

    [Fact]
    public void A_voided_invoice_is_told_to_the_freelancer_and_no_other_is_set_up() =>
        After([Requested, Accepted, Invoiced], InvoiceVoided).ShouldBe([Freelancer(FreelancerLetter.InvoiceVoided, 2)]);

    [Fact]
    public void A_void_that_we_asked_for_ourselves_is_told_to_nobody() => After([Requested, Accepted, Invoiced, Cancelled], InvoiceVoided).ShouldBeEmpty();

    [Fact]
    public void Full_payment_is_told_to_the_freelancer() =>
        After([Requested, Accepted, Invoiced], Paid).ShouldBe([Freelancer(FreelancerLetter.PaymentReceived)]);

    [Fact]
    public void Half_of_the_payment_sets_nothing_going() => After([Requested, Accepted, Invoiced], HalfPaid).ShouldBeEmpty();

    [Fact]
    public void Payment_of_what_was_released_unpaid_makes_the_payout_due() =>
        After([RequestedOnDelivery, Accepted, Uploaded, InvoicedInBitcoin, Released, Delivered], PaidInBitcoin)
            .ShouldBe([Freelancer(FreelancerLetter.PaymentReceived), new(new PayoutDue(Id, 0))]);

    [Fact]
    public void The_product_of_work_paid_on_delivery_sets_the_invoice_up() => After([RequestedOnDelivery, Accepted], Uploaded).ShouldBe([new(new SetUpInvoice(Id, 1))]);

    [Fact]
    public void The_product_of_paid_work_waits_for_its_delivery() => After([Requested, Accepted, Invoiced, Paid], Uploaded).ShouldBeEmpty();

    [Fact]
    public void Delivery_of_paid_work_mails_the_product_and_makes_the_payout_due() =>
        After([Requested, Accepted, Invoiced, Paid, Uploaded], Delivered).ShouldBe([Customer(CustomerLetter.Product, 1), new(new PayoutDue(Id, 0))]);

    [Fact]
    public void Delivery_of_released_work_mails_the_product_only() =>
        After([Requested, Accepted, Invoiced, Uploaded, Released], Delivered).ShouldBe([Customer(CustomerLetter.Product, 1)]);

    [Fact]
    public void A_second_product_does_not_make_the_payout_due_again() =>
        After([Requested, Accepted, Invoiced, Paid, Uploaded, Delivered, Uploaded with { ProductVersion = 2 }], new CommissionEvent.Delivered(2))
            .ShouldBe([Customer(CustomerLetter.Product, 2)]);

    [Fact]
    public void A_renewed_link_is_mailed() =>
        After([Requested, Accepted, Invoiced, Paid, Uploaded, Delivered], LinkRenewed).ShouldBe([Customer(CustomerLetter.FreshLink, 2)]);

    [Fact]
    public void A_requested_payout_is_sent() =>
        After([Requested, Accepted, Invoiced, Paid, Uploaded, Delivered], PayoutRequested).ShouldBe([new(new SendPayout(Id, 1))]);

    [Fact]
    public void A_payout_by_hand_is_not_sent() => After([Requested, Accepted, Invoiced, Paid, Uploaded, Delivered], PayoutByHand).ShouldBeEmpty();

    [Fact]
    public void A_refused_payout_is_told_to_the_freelancer_and_due_again_after_a_pause() =>
        After([Requested, Accepted, Invoiced, Paid, Uploaded, Delivered, PayoutRequested], PayoutFailed)
            .ShouldBe([Freelancer(FreelancerLetter.PayoutRefused, 1), new(new PayoutDue(Id, 0), TimeSpan.FromHours(1))]);

    [Fact]
    public void What_goes_back_after_a_refused_payout_is_taken_back_from_the_freelancers_account()
    {
        // A payout is often refused after its transfer: the money lies on the account, and the next attempt will be less by this.
        CommissionEvent[] refused = [Requested, Accepted, Invoiced, Paid, Uploaded, Delivered, PayoutRequested, PayoutFailed];
        After([.. refused, RefundRequested], Refunded).Select(it => it.Message).OfType<ReversePayout>().ShouldBe([new ReversePayout(Id, "before-payout:refund:re_1", Euro(20_00))]);
        After(refused, DisputeOpened).Select(it => it.Message).OfType<ReversePayout>().ShouldBe([new ReversePayout(Id, "before-payout:dispute:dp_1", Euro(120_00))]);
        After([.. refused[..6], RefundRequested], Refunded).Select(it => it.Message).OfType<ReversePayout>().ShouldBeEmpty();
    }

    [Fact]
    public void A_payout_that_arrived_is_told_to_the_freelancer() =>
        After([Requested, Accepted, Invoiced, Paid, Uploaded, Delivered, PayoutRequested], PaidOut).ShouldContain(Freelancer(FreelancerLetter.PaidOut));

    [Fact]
    public void A_payout_by_stripe_is_asked_about_once_more_when_no_bank_can_send_it_back_any_longer() =>
        After([Requested, Accepted, Invoiced, Paid, Uploaded, Delivered, PayoutRequested], PaidOut)
            .ShouldContain(new FollowUp(new CheckPayout(Id, 1, "tr_1", CheckInvoice.OneOff), TimeSpan.FromDays(8)));

    [Fact]
    public void A_payout_of_which_all_was_held_back_is_told_too() =>
        After([Requested, Accepted, Invoiced, Paid, Uploaded, Delivered, PayoutByHand with { Amount = Euro(0), HeldBack = Price }], PaidOut with { Amount = Euro(0) })
            .ShouldBe([Freelancer(FreelancerLetter.PaidOut)]);

    [Theory]
    [InlineData(0, 1)]
    [InlineData(1, 5)]
    [InlineData(2, 15)]
    [InlineData(3, 60)]
    [InlineData(4, 6 * 60)]
    [InlineData(5, 24 * 60)]
    [InlineData(1_000, 24 * 60)]
    public void What_is_open_is_asked_about_less_and_less_often_and_daily_in_the_end(int round, int minutes) =>
        WhatFollows.CheckPause(round).ShouldBe(TimeSpan.FromMinutes(minutes));

    private static FollowUp Customer(CustomerLetter letter, int number = 0) => new(new MailCustomer(Id, letter, number));

    private static FollowUp Freelancer(FreelancerLetter letter, int number = 0) => new(new MailFreelancer(Id, letter, number));

    private static List<FollowUp> After(CommissionEvent[] past, CommissionEvent happened)
    {
        var before = GivenCommission.State(past);
        return [.. WhatFollows.After(Id, before, happened, Commission.Evolve(before, happened))];
    }
}
