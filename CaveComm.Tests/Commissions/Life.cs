using CaveComm.Api.Commissions;
using CaveComm.Domain;
using CaveComm.Domain.Commissions;
using CaveComm.Domain.Payments;
using CaveComm.Tests.Support;
using FsCheck;
using FsCheck.Fluent;
using static CaveComm.Domain.Commissions.CommissionCommand;

namespace CaveComm.Tests.Commissions;

/// <summary>Something that happened in a life, and what it set going.</summary>
internal sealed record Step(Commission Before, CommissionEvent Happened, Commission After, IReadOnlyList<FollowUp> FollowUps);

/// <summary>A life that was played: everything that happened, from the first event on.</summary>
internal sealed record Played(IReadOnlyList<Step> Steps, Commission End)
{
    public IEnumerable<CommissionEvent> Happened => Steps.Select(step => step.Happened);

    public IEnumerable<object> Messages => Steps.SelectMany(step => step.FollowUps).Select(next => next.Message);
}

/// <summary>A past, and the commands and news that come to it, in any order and any number of times.</summary>
internal sealed record Life(Past Past, IReadOnlyList<CommissionCommand> Commands)
{
    /// <summary>Begun from every status: rules that guard late stages are seldom reached from an empty commission.</summary>
    public static Gen<Life> Any { get; } =
        from past in Gen.Elements(Lives.All.ToArray())
        from commands in Gen.ListOf(AnyCommand(past.Payment))
        select new Life(past, commands);

    /// <summary>The same life without one of its commands.</summary>
    public static IEnumerable<Life> Simpler(Life life) => life.Commands.Select((_, i) => life with { Commands = [.. life.Commands.Take(i), .. life.Commands.Skip(i + 1)] });

    public static void Always(Action<Life> rule) => Rule.Holds(Any, Simpler, rule);

    public Played Play()
    {
        var steps = new List<Step>();
        var it = Commission.Initial;
        Record(Past.Happened);
        foreach (var command in Commands)
        {
            Record(CommissionDecider.Decide(it, command).Events);
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

    public override string ToString() => $"{Past.Name}, then {string.Join("; ", Commands)}";

    // Few ids and few sums, so that repeats, late comers and exact sums come about by themselves.
    private static Gen<CommissionCommand> AnyCommand(CommissionEvent.PaymentReceived payment)
    {
        var attempt = Gen.Choose(1, 3);
        var sum = Gen.Elements(1, 2, 4).Select(part => payment with
        {
            Amount = payment.Amount with { Minor = payment.Amount.Minor / part },
            Received = payment.Received with { Minor = payment.Received.Minor / part },
        });
        var payments =
            from told in sum
            from id in Gen.Choose(1, 4)
            from invoice in attempt
            from late in Gen.Frequency((4, Gen.Constant(false)), (1, Gen.Constant(true)))
            select (CommissionCommand)new RecordPayment($"in_{invoice}", $"pi_{id}", told.Amount, told.Received, told.At, late, told.Charge);
        var strangeCoins = payments.Select(c => (CommissionCommand)((RecordPayment)c with { Received = new Money(7, "JPY") }));
        var strangePrices = payments.Select(c => (CommissionCommand)((RecordPayment)c with { Amount = new Money(7, "JPY") }));
        return Gen.Frequency(
            (2, Gen.Elements<CommissionCommand>(new Accept(), new Decline("No."), new Withdraw(), new Cancel("No."), new Release(), new MarkPaidOut())),
            (1, Gen.Elements<CommissionCommand>(
                Some.Request,
                Some.Request with { Template = Some.OnDeliveryWork },
                new EnterAgreed(Some.Shop, Some.Buyer, Some.AgreedWork, PaymentProviders.Stripe),
                new EnterAgreed(Some.Shop, Some.Buyer, Some.AgreedWork with { PaymentTerms = PaymentTerms.OnDelivery }, PaymentProviders.BtcPay))),
            (2, attempt.Select(n => (CommissionCommand)new RecordInvoice(n, $"in_{n}", null, Some.PayUrl, null))),
            (1, attempt.Select(n => (CommissionCommand)new RecordInvoiceRefusal(n, "No."))),
            (1, attempt.Select(n => (CommissionCommand)new RecordInvoiceExpiry($"in_{n}"))),
            (1, attempt.Select(n => (CommissionCommand)new RecordInvoiceVoid($"in_{n}"))),
            (2, attempt.Select(n => (CommissionCommand)new RecordPaymentSeen($"in_{n}"))),
            (1, attempt.Select(n => (CommissionCommand)new RecordNothingSeen($"in_{n}"))),
            (4, payments),
            (1, strangeCoins),
            (1, strangePrices),
            (1, Gen.Choose(1, 4).Select(id => (CommissionCommand)new RecordPaymentFailure($"pi_{id}"))),
            (2, Gen.Elements<CommissionCommand>(new UploadProduct(Some.Files), new UploadProduct(Some.Files), new UploadProduct([]))),
            (1, attempt.Select(version => (CommissionCommand)new RecordDownload(version, Some.Files[0].FileId))),
            (1, attempt.Select(generation => (CommissionCommand)new RenewLink(generation))),
            (3, from provider in Gen.Elements(PaymentProviders.Stripe, PaymentProviders.Manual)
                from fee in Gen.Elements(0, 1, 500, 3_333, 10_000)
                select (CommissionCommand)new RequestPayout(provider, Some.StripeAccount, fee)),
            (1, attempt.Select(n => (CommissionCommand)new RecordPayoutRefusal(n, "No."))),
            (2, attempt.Select(n => (CommissionCommand)new ConfirmPayout(n, $"tr_{n}"))),
            (2, Gen.Elements<CommissionCommand>(new Honour(), new ReissueInvoice(), new MarkRefunded(1), new MarkRefunded(2), new CommissionCommand.WithdrawRefund(1))),
            (1, attempt.Select(n => (CommissionCommand)new RecordCredit($"cn_{n}", "in_1", Some.Euro(60_00)))),
            (3, Gen.Elements(20_00L, 60_00L, 120_00L, 500_00L).Select(minor => (CommissionCommand)new Refund(Some.Euro(minor), null))),
            (3, Backwards(payment)),
            (1, attempt.Select(n => (CommissionCommand)new RecordPayoutReversal("tr_1", $"trr_{n}", payment.Received with { Minor = 10_00 }))));
    }

    // What a provider tells of money that goes back: of refunds that were asked for here, and of such that were not.
    private static Gen<CommissionCommand> Backwards(CommissionEvent.PaymentReceived payment)
    {
        var coin = payment.Received with { Minor = payment.Received.Minor / 6 };
        return Gen.Frequency(
            (3, from number in Gen.Choose(1, 3)
                from id in Gen.Choose(1, 2)
                select (CommissionCommand)new RecordRefund(number, $"re_{number}", $"pi_{id}", Some.Euro(20_00), coin)),
            (1, Gen.Choose(7, 8).Select(n => (CommissionCommand)new RecordRefund(null, $"re_{n}", "pi_1", Some.Euro(20_00), coin))),
            (1, Gen.Choose(1, 3).Select(n => (CommissionCommand)new RecordRefundOffer(n, $"pp_{n}", Some.PayUrl))),
            (2, Gen.Choose(1, 3).Select(n => (CommissionCommand)new RecordRefundFailure(n, $"re_{n}", "No."))),
            (3, from dispute in Gen.Choose(1, 2)
                from id in Gen.Choose(1, 2)
                from won in Gen.Elements<bool?>(null, true, false)
                select (CommissionCommand)new RecordDispute($"dp_{dispute}", $"pi_{id}", payment.Received, "fraudulent", null, won)));
    }
}
