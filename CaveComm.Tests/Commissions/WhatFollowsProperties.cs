using CaveComm.Api.Commissions;
using CaveComm.Api.Notifications;
using CaveComm.Domain.Payments;
using Shouldly;
using static CaveComm.Domain.Commissions.CommissionEvent;

namespace CaveComm.Tests.Commissions;

/// <summary>What is set going over a whole life, in whatever order things happen.</summary>
public class WhatFollowsProperties
{
    [Fact]
    public void Each_version_that_is_delivered_is_mailed_once() => Life.Always(life =>
    {
        var played = life.Play();
        played.Messages.OfType<MailCustomer>().Where(m => m.Letter == CustomerLetter.Product).Select(m => m.Number)
            .ShouldBe(played.Happened.OfType<Delivered>().Select(e => e.ProductVersion));
    });

    [Fact]
    public void No_letter_is_written_twice() => Life.Always(life =>
    {
        var messages = life.Play().Messages.ToList();
        messages.OfType<MailCustomer>().ShouldBeUnique();
        messages.OfType<MailFreelancer>().ShouldBeUnique();
    });

    [Fact]
    public void Each_attempt_at_a_payout_is_sent_once_and_none_that_is_settled_by_hand() => Life.Always(life =>
    {
        var played = life.Play();
        played.Messages.OfType<SendPayout>().Select(m => m.Attempt)
            .ShouldBe(played.Happened.OfType<PayoutRequested>().Where(e => e.Provider != PaymentProviders.Manual).Select(e => e.Attempt));
    });

    [Fact]
    public void A_payout_is_due_once_each_time_it_comes_to_be_needed() => Life.Always(life =>
    {
        foreach (var step in life.Play().Steps)
        {
            var isDue = step.After.NeedsPayout && !step.Before.NeedsPayout;
            step.FollowUps.Count(next => next.Message is PayoutDue).ShouldBe(isDue ? 1 : 0);
        }
    });

    [Fact]
    public void An_invoice_is_set_up_only_when_it_is_needed() => Life.Always(life =>
    {
        foreach (var step in life.Play().Steps.Where(step => step.FollowUps.Any(next => next.Message is SetUpInvoice)))
        {
            step.After.NeedsInvoice.ShouldBeTrue();
        }
    });

    [Fact]
    public void An_invoice_that_comes_to_be_needed_is_set_up() => Life.Always(life =>
    {
        foreach (var step in life.Play().Steps.Where(step => step.After.NeedsInvoice && !step.Before.NeedsInvoice))
        {
            step.FollowUps.Count(next => next.Message is SetUpInvoice).ShouldBe(1);
        }
    });

    [Fact]
    public void Every_invoice_is_watched_and_brought_to_the_customer_or_made_void() => Life.Always(life =>
    {
        foreach (var step in life.Play().Steps.Where(step => step.Happened is InvoiceIssued))
        {
            var invoice = (InvoiceIssued)step.Happened;
            var messages = step.FollowUps.Select(next => next.Message).ToList();
            if (step.After.Ended is not null)
            {
                messages.ShouldBe([new VoidInvoice(Support.Some.CommissionId, invoice.InvoiceId)]);
            }
            else
            {
                messages.OfType<CheckInvoice>().ShouldHaveSingleItem().InvoiceId.ShouldBe(invoice.InvoiceId);
                messages.Count(m => m is SendInvoice or MailCustomer { Letter: CustomerLetter.Invoice }).ShouldBe(1);
            }
        }
    });

    [Fact]
    public void No_open_invoice_is_left_behind_by_work_that_ended() => Life.Always(life =>
    {
        var played = life.Play();
        if (played.End is { Ended: not null, Invoice: { } open })
        {
            played.Messages.OfType<VoidInvoice>().Select(m => m.InvoiceId).ShouldContain(open.InvoiceId);
        }
    });
}
