using CaveComm.Api.Commissions;
using CaveComm.Api.Notifications;
using CaveComm.Domain;
using CaveComm.Domain.Commissions;
using CaveComm.Domain.Payments;
using CaveComm.Tests.Support;
using FsCheck;
using FsCheck.Fluent;
using Shouldly;
using static CaveComm.Domain.Commissions.CommissionCommand;
using static CaveComm.Domain.Commissions.CommissionEvent;

namespace CaveComm.Tests.Commissions;

/// <summary>All that is ever told about a commission, in any order and any number of times: the end is the same, and each thing happened once.</summary>
public sealed class StormProperties
{
    [Fact]
    public void A_storm_of_news_ends_like_quiet_weather_and_each_thing_happened_once() => Rule.Holds(Storm.Any, Storm.Simpler, storm =>
    {
        var quiet = storm.Setting.Play(storm.Setting.News);
        var played = storm.Setting.Play([.. storm.Told, .. storm.Setting.News, .. storm.Setting.News]);

        Figures(played.End).ShouldBe(Figures(quiet.End));
        played.End.Status.ShouldBe(CommissionStatus.PaidOut);
        foreach (var once in new[] { typeof(Delivered), typeof(CommissionEvent.PayoutRequested), typeof(PaidOut), typeof(ProductDownloaded) })
        {
            played.Happened.Count(it => it.GetType() == once).ShouldBe(1, once.Name);
        }

        var payments = storm.Setting.News.OfType<RecordPayment>().Select(it => it.PaymentId).Distinct().ToList();
        played.Happened.OfType<PaymentReceived>().Select(it => it.PaymentId).ShouldBe(payments, ignoreOrder: true);
        played.Messages.OfType<SendPayout>().Count().ShouldBe(1);
        played.Messages.OfType<MailCustomer>().Count(it => it.Letter == CustomerLetter.Product).ShouldBe(1);
        played.Messages.OfType<MailCustomer>().ShouldBeUnique();
        played.Messages.OfType<MailFreelancer>().ShouldBeUnique();
    });

    [Fact]
    public void Of_money_told_in_a_storm_none_is_lost_and_none_is_made() => Rule.Holds(Storm.Any, Storm.Simpler, storm =>
    {
        var played = storm.Setting.Play([.. storm.Told, .. storm.Setting.News, .. storm.Setting.News]);

        var received = played.Happened.OfType<PaymentReceived>().Sum(it => it.Received.Minor);
        var payout = played.Happened.OfType<CommissionEvent.PayoutRequested>().Single();
        (payout.Amount.Minor + payout.Fee.Minor + (payout.HeldBack?.Minor ?? 0)).ShouldBe(received);
        played.End.Received.Minor.ShouldBe(storm.Setting.Price.Minor);
    });

    // What the order of the news has no say in.
    private static string Figures(Commission it) => string.Join(
        ' ',
        it.Status, it.IsFullyPaid, it.Received, it.ReceivedCoin, it.DeliveredVersion, it.DownloadedVersion, it.IsPaidOut, it.Payout?.Amount, it.Payout?.Fee, it.Refunds.Count,
        string.Join(',', it.PaymentIds.Order(StringComparer.Ordinal)));
}

/// <summary>A commission that has its invoice and its product, and all that its provider and its customer will tell, in quiet order.</summary>
internal sealed record StormSetting(string Name, IReadOnlyList<CommissionEvent> Happened, IReadOnlyList<CommissionCommand> News, string Provider)
{
    public static IReadOnlyList<StormSetting> All { get; } =
    [
        Of("up front in one", [Some.Requested, Some.Accepted, Some.Invoiced, Some.Uploaded], Some.Paid, parts: 1, PaymentProviders.Stripe),
        Of("up front in three", [Some.Requested, Some.Accepted, Some.Invoiced, Some.Uploaded], Some.Paid, parts: 3, PaymentProviders.Stripe),
        Of("on delivery in one", [Some.RequestedOnDelivery, Some.Accepted, Some.Uploaded, Some.InvoicedInBitcoin], Some.PaidInBitcoin, parts: 1, PaymentProviders.BtcPay),
        Of("on delivery in two", [Some.RequestedOnDelivery, Some.Accepted, Some.Uploaded, Some.InvoicedInBitcoin], Some.PaidInBitcoin, parts: 2, PaymentProviders.BtcPay),
    ];

    public Money Price => Happened.OfType<InvoiceIssued>().Single().Amount;

    /// <summary>What is told comes to the decider; a payout that comes to be needed is asked for, as the product does.</summary>
    public Played Play(IReadOnlyList<CommissionCommand> told)
    {
        var steps = new List<Step>();
        var it = Commission.Initial;
        Record(Happened);
        foreach (var command in told)
        {
            Record(CommissionDecider.Decide(it, command).Events);
            if (it.NeedsPayout)
            {
                Record(CommissionDecider.Decide(it, new RequestPayout(Provider, Some.StripeAccount, 500)).Events);
            }
        }

        return new Played(steps, it);

        void Record(IEnumerable<CommissionEvent> events)
        {
            foreach (var happened in events)
            {
                var after = Commission.Evolve(it, happened);
                steps.Add(new Step(it, happened, after, [.. WhatFollows.After(Some.CommissionId, it, happened, after)]));
                it = after;
            }
        }
    }

    private static StormSetting Of(string name, IReadOnlyList<CommissionEvent> happened, PaymentReceived whole, int parts, string provider)
    {
        var payments = Enumerable.Range(1, parts).Select(part => (CommissionCommand)new RecordPayment(
            whole.InvoiceId,
            $"pi_{part}",
            whole.Amount with { Minor = whole.Amount.Minor / parts },
            whole.Received with { Minor = whole.Received.Minor / parts },
            whole.At,
            Late: false,
            whole.Charge));
        return new StormSetting(
            name,
            happened,
            [
                new RecordInvoice(1, whole.InvoiceId, null, Some.PayUrl, null), new RecordPaymentFailure("pi_0"), .. payments,
                new RecordDownload(1, Some.Files[0].FileId), new ConfirmPayout(1, "po_1"),
            ],
            provider);
    }
}

/// <summary>The news of a setting, each in so many copies, shuffled.</summary>
internal sealed record Storm(StormSetting Setting, IReadOnlyList<CommissionCommand> Told)
{
    private const int MostCopies = 50;

    public static Gen<Storm> Any { get; } =
        from setting in Gen.Elements(StormSetting.All.ToArray())
        from copies in Gen.ArrayOf(Gen.Choose(0, MostCopies), setting.News.Count)
        from told in Gen.Shuffle(setting.News.SelectMany((news, number) => Enumerable.Repeat(news, copies[number])).ToArray())
        select new Storm(setting, told);

    public static IEnumerable<Storm> Simpler(Storm storm) =>
        storm.Told.Select((_, i) => storm with { Told = [.. storm.Told.Take(i), .. storm.Told.Skip(i + 1)] });

    public override string ToString() => $"{Setting.Name}: {string.Join("; ", Told)}";
}
