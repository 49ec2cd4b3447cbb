using CaveComm.Domain;
using CaveComm.Domain.Commissions;
using CaveComm.Domain.Payments;
using CaveComm.Projections.Ledger;
using CaveComm.Tests.Support;
using Shouldly;
using static CaveComm.Tests.Support.Some;

namespace CaveComm.Tests.Commissions;

/// <summary>The double-entry ledger as a fold over a commission.</summary>
public class LedgerTests
{
    private static readonly string Key = StreamKey.Commission(CommissionId);

    [Fact]
    public void A_plain_story_ends_with_the_fee_at_the_provider_and_nothing_owed_to_anybody()
    {
        var book = Fold(Requested, Accepted, Invoiced, Paid, Uploaded, Delivered, PayoutRequested, PaidOut);

        Sums(book).ShouldBe([new(LedgerAccount.ProviderClearing, Euro(6_00)), new(LedgerAccount.PlatformFee, Euro(-6_00))]);
        book.Sets.Select(set => set.Event).ShouldBe(["commission.invoice-issued", "commission.payment-received", "commission.payout-requested", "commission.paid-out"]);
        book.Sets[1].Entries.ShouldBe([new(LedgerAccount.CustomerReceivable, Euro(-120_00)), new(LedgerAccount.ProviderClearing, Euro(120_00))]);
    }

    [Fact]
    public void What_the_provider_keeps_is_booked_and_makes_nobodys_claim_less()
    {
        var book = Fold(Requested, Accepted, Invoiced, Paid with { Fee = Euro(2_05) });

        book.IsBalanced.ShouldBeTrue();
        Sums(book).ShouldBe([new(LedgerAccount.ProviderClearing, Euro(117_95)), new(LedgerAccount.ProviderFee, Euro(2_05)), new(LedgerAccount.FreelancerPayable, Euro(-120_00))]);
        Balance(Fold(Requested, Accepted, Invoiced, Paid with { Fee = Euro(2_05) }, Uploaded, Delivered, PayoutRequested, PaidOut), LedgerAccount.FreelancerPayable).ShouldBe(Euro(0));
    }

    [Fact]
    public void A_price_in_euro_that_is_paid_in_bitcoin_passes_through_the_exchange_and_leaves_nothing_there()
    {
        var book = Fold(Requested with { Provider = PaymentProviders.BtcPay }, Accepted, InvoicedInBitcoin, PaidInBitcoin);

        book.IsBalanced.ShouldBeTrue();
        Sums(book).ShouldBe([new(LedgerAccount.ProviderClearing, Satoshi(200_000)), new(LedgerAccount.FreelancerPayable, Satoshi(-200_000))]);
        book.Sets[1].Entries.Where(entry => entry.Account == LedgerAccount.Exchange).Select(entry => entry.Amount)
            .ShouldBe([Euro(120_00), Euro(-120_00), Satoshi(-200_000), Satoshi(200_000)]);
    }

    [Fact]
    public void A_refund_is_put_aside_when_it_is_asked_for_and_gone_when_it_is_sent()
    {
        var asked = Fold(Requested, Accepted, Invoiced, Paid, RefundRequested);
        Balance(asked, LedgerAccount.Refunds).ShouldBe(Euro(-20_00));
        Balance(asked, LedgerAccount.FreelancerPayable).ShouldBe(Euro(-100_00));

        var sent = Fold(Requested, Accepted, Invoiced, Paid, RefundRequested, Refunded);
        Sums(sent).ShouldBe([new(LedgerAccount.ProviderClearing, Euro(100_00)), new(LedgerAccount.FreelancerPayable, Euro(-100_00))]);

        Sums(Fold(Requested, Accepted, Invoiced, Paid, RefundRequested, Refunded, RefundFailed)).ShouldBe(Sums(Fold(Requested, Accepted, Invoiced, Paid)));
    }

    [Fact]
    public void What_a_bank_takes_after_the_payout_is_owed_by_the_freelancer_once_it_is_lost()
    {
        CommissionEvent[] story = [Requested, Accepted, Invoiced, Paid, Uploaded, Delivered, PayoutRequested, PaidOut, DisputeOpened];

        Balance(Fold(story), LedgerAccount.Disputes).ShouldBe(Euro(120_00));
        Balance(Fold(story), LedgerAccount.FreelancerPayable).ShouldBe(Euro(0));
        Balance(Fold([.. story, DisputeLost]), LedgerAccount.FreelancerPayable).ShouldBe(Euro(120_00));
        Sums(Fold([.. story, DisputeWon])).ShouldBe([new(LedgerAccount.ProviderClearing, Euro(6_00)), new(LedgerAccount.PlatformFee, Euro(-6_00))]);
    }

    [Fact]
    public void Late_money_is_the_customers_until_it_is_honoured()
    {
        CommissionEvent[] story = [Requested, Accepted, Invoiced, InvoiceExpired, PaidLate];

        Balance(Fold(story), LedgerAccount.CustomerReceivable).ShouldBe(Euro(-120_00));
        Sums(Fold([.. story, Honoured])).ShouldBe([new(LedgerAccount.ProviderClearing, Euro(120_00)), new(LedgerAccount.FreelancerPayable, Euro(-120_00))]);
    }

    [Fact]
    public void What_is_held_back_of_one_payout_makes_up_for_what_is_owed_of_another()
    {
        var owing = Fold(Requested, Accepted, Invoiced, Paid, Uploaded, Delivered, PayoutRequested, PaidOut, Refunded);
        var payout = PayoutRequested with { Amount = Euro(94_00), HeldBack = Euro(20_00) };
        var paying = Fold(Requested, Accepted, Invoiced, Paid, Uploaded, Delivered, payout, PaidOut with { Amount = Euro(94_00) });

        (Balance(owing, LedgerAccount.FreelancerPayable) + Balance(paying, LedgerAccount.FreelancerPayable)).ShouldBe(Euro(0));
    }

    [Fact]
    public void A_set_that_does_not_sum_to_zero_is_noticed()
    {
        Ledger.IsBalanced([new(LedgerAccount.Payouts, Euro(1)), new(LedgerAccount.Refunds, Euro(-1))]).ShouldBeTrue();
        Ledger.IsBalanced([new(LedgerAccount.Payouts, Euro(1)), new(LedgerAccount.Refunds, Satoshi(-1))]).ShouldBeFalse();
        Ledger.IsBalanced([new(LedgerAccount.Payouts, Euro(long.MaxValue)), new(LedgerAccount.Refunds, Euro(long.MaxValue)), new(LedgerAccount.Refunds, Euro(2))]).ShouldBeFalse();
    }

    [Fact]
    public void Every_set_of_any_life_sums_to_zero_and_all_of_them_come_to_the_position() => Life.Always(life =>
    {
        var book = Fold([.. life.Play().Happened]);
        book.IsBalanced.ShouldBeTrue();
        book.Sets.ShouldAllBe(set => Ledger.IsBalanced(set.Entries));
        Sums(book).ShouldBe(book.Books.Position());
    });

    [Fact]
    public void The_provider_holds_what_the_events_say_that_moved() => Life.Always(life =>
    {
        var happened = life.Play().Happened.ToList();
        var book = Fold([.. happened]);
        var moved = happened.SelectMany(e => e switch
        {
            CommissionEvent.PaymentReceived x => new[] { x.Received },
            CommissionEvent.Refunded x => [Less(x.Sent)],
            CommissionEvent.RefundFailed x => [x.Sent],
            CommissionEvent.DisputeOpened x => [Less(x.Amount)],
            CommissionEvent.DisputeClosed { Won: true } x => [x.Amount],
            CommissionEvent.PaidOut x when !book.Books.PaysByHand => [Less(x.Amount)],
            CommissionEvent.PayoutReversed x => [x.Amount],
            _ => [],
        });
        moved.GroupBy(it => it.Currency).Select(it => it.Aggregate((sum, amount) => sum + amount)).Where(it => !it.IsZero)
            .ShouldBe(Sums(book).Where(entry => entry.Account == LedgerAccount.ProviderClearing).Select(entry => entry.Amount), ignoreOrder: true);
    });

    [Fact]
    public void What_is_owed_to_the_freelancer_is_what_the_commission_says()
    {
        var (unpaid, paid) = (0, 0);
        Life.Always(life =>
        {
            var it = life.Play().End;
            if (it.Payments is [] || it.Payments.Any(payment => !payment.Received.IsPositive) || it.Held is not { IsPositive: true } held)
            {
                return;
            }

            var book = Fold([.. life.Play().Happened]);
            var counted = it.Payments.Where(payment => payment.Counts).Select(payment => payment.PaymentId).ToHashSet();
            var inDispute = it.Disputes.Where(dispute => dispute.Won is null && counted.Contains(dispute.PaymentId)).Sum(dispute => dispute.Amount.Minor);
            var onTheWayBack = it.Refunds.Where(refund => refund.Standing == RefundStanding.Requested && counted.Contains(refund.PaymentId)).Sum(refund => it.CoinsOf(refund).Minor);
            var asked = it.Invoice is not null && it.Price.Currency == it.Coin ? it.Missing.Minor : 0;
            var sent = it.Payout is { } payout ? (payout.Amount + payout.Fee).Minor : 0;
            var reversed = book.Books.Reversed.Sum(amount => amount.Minor);
            Balance(book, LedgerAccount.FreelancerPayable, it.Coin).Minor.ShouldBe(-(held.Minor + inDispute - onTheWayBack + asked - sent + reversed));
            _ = it.Payout is null ? unpaid++ : paid++;
        });
        unpaid.ShouldBeGreaterThan(0);
        paid.ShouldBeGreaterThan(0);
    }

    [Fact]
    public void Customers_owe_what_their_open_invoice_lacks_less_what_came_too_late() => Life.Always(life =>
    {
        var it = life.Play().End;
        var book = Fold([.. life.Play().Happened]);
        if (it.Payments.All(payment => payment.Counts))
        {
            var expected = it.Invoice is null ? Money.Zero(it.Price.Currency) : it.Missing;
            Balance(book, LedgerAccount.CustomerReceivable, it.Price.Currency).ShouldBe(expected);
        }
    });

    [Fact]
    public void A_stay_in_the_store_between_any_two_events_changes_nothing() => Life.Always(life =>
    {
        object[] happened = [.. life.Play().Happened];
        var live = new LedgerProjection().Fold(Key, happened, StoreJson.Again);
        var rebuilt = new LedgerProjection().Fold(Key, happened);
        live.Select(book => StoreJson.Describe(book!)).ShouldBe(rebuilt.Select(book => StoreJson.Describe(book!)));
    });

    private static LedgerBook Fold(params CommissionEvent[] happened) =>
        new LedgerProjection().Fold(Key, happened).LastOrDefault() ?? new LedgerBook(Key, Shop, CommissionBooks.Initial, IsBalanced: true, []);

    private static IReadOnlyList<LedgerEntry> Sums(LedgerBook book) => Ledger.Sum(book.Sets.SelectMany(set => set.Entries));

    private static Money Balance(LedgerBook book, LedgerAccount account, string currency = "EUR") =>
        Sums(book).FirstOrDefault(entry => entry.Account == account && entry.Amount.Currency == currency)?.Amount ?? Money.Zero(currency);

    private static Money Less(Money amount) => Money.Zero(amount.Currency) - amount;
}
