using CaveComm.Domain;
using CaveComm.Domain.Commissions;
using CaveComm.Projections;
using CaveComm.Projections.Commissions;
using CaveComm.Tests.Support;
using Shouldly;
using static CaveComm.Tests.Support.Some;

namespace CaveComm.Tests.Commissions;

/// <summary>The inbox and the detail page as folds.</summary>
public class ProjectionTests
{
    private static readonly string Key = StreamKey.Commission(CommissionId);

    [Fact]
    public void Every_view_shows_the_status_that_decisions_go_by() => Life.Always(life =>
    {
        var played = life.Play();
        var happened = played.Happened.ToList();
        var lines = new InboxProjection().Fold(Key, happened, StoreJson.Again);
        var details = new CommissionDetailProjection().Fold(Key, happened);
        var states = new DeciderProjection<Commission, CommissionEvent>().Fold(Key, happened);
        for (var i = 0; i < happened.Count; i++)
        {
            var status = played.Steps[i].After.Status;
            lines[i]!.Status.ShouldBe(StatusText.Of(status));
            lines[i]!.State.Status.ShouldBe(status);
            lines[i]!.Version.ShouldBe(i + 1);
            details[i]!.State.Status.ShouldBe(status);
            details[i]!.Version.ShouldBe(i + 1);
            details[i]!.History.Count.ShouldBe(i + 1);
            states[i]!.Status.ShouldBe(status);
        }
    });

    [Fact]
    public void The_detail_shows_every_payment_the_newest_files_and_how_the_payout_stands() => Life.Always(life =>
    {
        var played = life.Play();
        if (new CommissionDetailProjection().Fold(Key, played.Happened).LastOrDefault() is not { } detail)
        {
            return;
        }

        detail.Payments.Select(p => p.Id).ShouldBe(played.End.PaymentIds);
        (detail.Files.Count > 0).ShouldBe(played.End.ProductVersion > 0);
        (detail.Invoice?.Status == "open").ShouldBe(played.End is { Invoice: not null, IsFullyPaid: false, IsPaymentSeen: false });
        (detail.Invoice?.Status == "processing").ShouldBe(played.End.IsPaymentSeen);
        detail.Payout?.Status.ShouldBe(played.End switch { { IsPaidOut: true } => "paid", { Payout: not null } => "requested", _ => "failed" });
        (detail.Payout is null).ShouldBe(played.End is { Payout: null, PayoutAttempt: 1 });
    });

    [Fact]
    public void A_new_request_is_a_line_of_the_inbox()
    {
        var line = new InboxProjection().Fold(Key, [Requested]).Last().ShouldNotBeNull();
        line.ShouldBe(new InboxItem(Key, Shop, "portrait", Buyer.Id, "Grace Hopper", line.State, "requested", Noon.AddMinutes(1), Noon.AddMinutes(1), 1));
    }

    [Fact]
    public void A_line_follows_its_commission_and_keeps_when_it_was_requested()
    {
        var line = new InboxProjection().Fold(Key, [Requested, Accepted]).Last().ShouldNotBeNull();
        (line.Status, line.RequestedAt, line.UpdatedAt, line.Version).ShouldBe(("accepted", Noon.AddMinutes(1), Noon.AddMinutes(2), 2));
    }

    [Fact]
    public void Work_agreed_elsewhere_stands_in_the_inbox_by_its_description() =>
        new InboxProjection().Fold(Key, [Requested with { Template = AgreedWork }]).Last().ShouldNotBeNull().Template.ShouldBe("A mural");

    [Fact]
    public void A_line_does_not_begin_in_the_middle_of_a_life() => new InboxProjection().Fold(Key, [Accepted]).Last().ShouldBeNull();

    [Fact]
    public void What_is_no_commission_event_changes_no_view()
    {
        new InboxProjection().Fold(Key, [Requested, Opened]).Last()!.Version.ShouldBe(1);
        new CommissionDetailProjection().Fold(Key, [Requested, Opened]).Last()!.Version.ShouldBe(1);
        new DeciderProjection<Commission, CommissionEvent>().Fold(Key, [Opened]).Last().ShouldBeNull();
    }

    [Fact]
    public void The_detail_tells_the_whole_story()
    {
        var detail = new CommissionDetailProjection()
            .Fold(Key, [Requested, Accepted, Invoiced, Paid, Uploaded, Delivered, PayoutRequested, PaidOut]).Last().ShouldNotBeNull();
        detail.RequestId.ShouldBe(CommissionId);
        detail.Title.ShouldBe("A portrait");
        detail.Customer.ShouldBe(Buyer);
        detail.Answers["subject"].ShouldBe("A cat");
        detail.Invoice.ShouldBe(new InvoiceDetail("stripe", "in_1", "CAVE-0001", "paid", Price, PayUrl, Noon.AddDays(14)));
        detail.Payments.ShouldBe([new PaymentDetail("pi_1", Price, Price, Noon, Late: false)]);
        detail.Files.ShouldBe(Files);
        detail.Payout.ShouldBe(new PayoutDetail("stripe", "paid", Euro(114_00), Euro(6_00), "tr_1", null, Noon.AddMinutes(8)));
        detail.History.Select(line => (line.Type, line.Text)).ShouldBe(
        [
            ("commission.requested", "Grace Hopper asked for \u201cA portrait\u201d for 120.00 EUR."),
            ("commission.accepted", "The request was accepted."),
            ("commission.invoice-issued", "Invoice CAVE-0001 over 120.00 EUR was issued by Stripe."),
            ("commission.payment-received", "A payment of 120.00 EUR arrived."),
            ("commission.product-uploaded", "The final product (version 1) was uploaded: portrait.png."),
            ("commission.delivered", "The product (version 1) was delivered."),
            ("commission.payout-requested", "The payout of 114.00 EUR was requested."),
            ("commission.paid-out", "114.00 EUR was paid out."),
        ]);
    }

    [Fact]
    public void The_detail_says_why_work_ended()
    {
        new CommissionDetailProjection().Fold(Key, [Requested, Declined]).Last()!.EndReason.ShouldBe(Declined.Reason);
        new CommissionDetailProjection().Fold(Key, [Requested, Accepted, Cancelled]).Last()!.EndReason.ShouldBe(Cancelled.Reason);
    }

    [Fact]
    public void The_detail_shows_an_invoice_that_can_no_longer_be_paid_as_such()
    {
        new CommissionDetailProjection().Fold(Key, [Requested, Accepted, Invoiced, InvoiceExpired]).Last()!.Invoice!.Status.ShouldBe("expired");
        new CommissionDetailProjection().Fold(Key, [Requested, Accepted, Invoiced, InvoiceVoided]).Last()!.Invoice!.Status.ShouldBe("void");
    }

    [Fact]
    public void A_refused_payout_shows_its_reason()
    {
        var payout = new CommissionDetailProjection()
            .Fold(Key, [Requested, Accepted, Invoiced, Paid, Uploaded, Delivered, PayoutRequested, PayoutFailed]).Last()!.Payout.ShouldNotBeNull();
        (payout.Status, payout.Reason).ShouldBe(("failed", PayoutFailed.Reason));
    }
}
