using CaveComm.Domain.Commissions;
using CaveComm.Projections.Commissions;
using CaveComm.Tests.Support;
using Shouldly;
using static CaveComm.Tests.Support.Some;

namespace CaveComm.Tests.Commissions;

public class StatusTests
{
    [Fact]
    public void Up_front_work_goes_from_requested_to_paid_out() => Steps(
        Requested, Accepted, Invoiced, PaymentFailed, HalfPaid, HalfPaid with { PaymentId = "pi_2" }, Uploaded, Delivered, Downloaded, PayoutRequested, PayoutFailed,
        PayoutRequested with { Attempt = 2 }, PaidOut).ShouldBe(
        [
            CommissionStatus.None, CommissionStatus.Requested, CommissionStatus.Accepted, CommissionStatus.AwaitingPayment, CommissionStatus.AwaitingPayment,
            CommissionStatus.AwaitingPayment, CommissionStatus.InProgress, CommissionStatus.InProgress, CommissionStatus.Delivered, CommissionStatus.Delivered,
            CommissionStatus.Delivered, CommissionStatus.Delivered, CommissionStatus.Delivered, CommissionStatus.PaidOut,
        ]);

    [Fact]
    public void Work_paid_on_delivery_goes_from_requested_to_paid_out() => Steps(
        RequestedOnDelivery, Accepted, Uploaded, InvoicedInBitcoin, PaidInBitcoin, Delivered, PayoutRequested, PaidOut).ShouldBe(
        [
            CommissionStatus.None, CommissionStatus.Requested, CommissionStatus.InProgress, CommissionStatus.AwaitingPayment, CommissionStatus.AwaitingPayment,
            CommissionStatus.AwaitingPayment, CommissionStatus.Delivered, CommissionStatus.Delivered, CommissionStatus.PaidOut,
        ]);

    [Fact]
    public void A_product_that_comes_before_the_payment_keeps_up_front_work_waiting() =>
        Steps(Requested, Accepted, Invoiced, Uploaded).Last().ShouldBe(CommissionStatus.AwaitingPayment);

    [Fact]
    public void Released_work_is_delivered_and_stays_so_until_it_is_paid_out() => Steps(
        RequestedOnDelivery, Accepted, Uploaded, InvoicedInBitcoin, Released, Delivered, InvoiceExpired, PaidInBitcoin).TakeLast(3)
        .ShouldBe([CommissionStatus.Delivered, CommissionStatus.Delivered, CommissionStatus.Delivered]);

    [Fact]
    public void The_side_exits_have_a_status_each()
    {
        Steps(Requested, Declined).Last().ShouldBe(CommissionStatus.Declined);
        Steps(Requested, Withdrawn).Last().ShouldBe(CommissionStatus.Withdrawn);
        Steps(Requested, Accepted, Cancelled).Last().ShouldBe(CommissionStatus.Cancelled);
        Steps(Requested, Accepted, Invoiced, InvoiceExpired).Last().ShouldBe(CommissionStatus.Expired);
        Steps(RequestedOnDelivery, Accepted, Uploaded, InvoicedInBitcoin, InvoiceExpired).Last().ShouldBe(CommissionStatus.Expired);
    }

    [Fact]
    public void A_payment_that_is_worth_nothing_is_no_refund() =>
        Steps(Requested, Accepted, InvoicedInBitcoin, PaidInBitcoin with { Amount = Euro(0) }).Last().ShouldBe(CommissionStatus.AwaitingPayment);

    [Fact]
    public void A_new_invoice_brings_expired_work_back() =>
        Steps(Requested, Accepted, Invoiced, InvoiceExpired, Invoiced with { Attempt = 2, InvoiceId = "in_2" }).Last().ShouldBe(CommissionStatus.AwaitingPayment);

    [Fact]
    public void Up_front_work_without_an_open_invoice_is_accepted_only()
    {
        Steps(Requested, Accepted, InvoiceRefused).Last().ShouldBe(CommissionStatus.Accepted);
        Steps(Requested, Accepted, Invoiced, InvoiceVoided).Last().ShouldBe(CommissionStatus.Accepted);
    }

    [Theory]
    [InlineData(CommissionStatus.Requested, "requested")]
    [InlineData(CommissionStatus.AwaitingPayment, "awaitingPayment")]
    [InlineData(CommissionStatus.InProgress, "inProgress")]
    [InlineData(CommissionStatus.PaidOut, "paidOut")]
    public void A_status_is_written_as_in_the_specification(CommissionStatus status, string text) => StatusText.Of(status).ShouldBe(text);

    [Fact]
    public void What_is_written_for_a_status_is_read_as_that_status()
    {
        foreach (var status in Enum.GetValues<CommissionStatus>().Except([CommissionStatus.None]))
        {
            StatusText.Parse(StatusText.Of(status)).ShouldBe(status);
        }

        StatusText.Of(null).ShouldBe("");
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("none")]
    [InlineData("PaidOut")]
    [InlineData("6")]
    [InlineData("nonsense")]
    public void What_is_no_status_is_read_as_none(string? text) => StatusText.Parse(text).ShouldBeNull();

    private static List<CommissionStatus> Steps(params CommissionEvent[] happened) =>
        [.. Enumerable.Range(0, happened.Length + 1).Select(n => GivenCommission.State(happened.Take(n)).Status)];
}
