using System.Text.Json;
using CaveComm.Domain;
using CaveComm.Domain.Payments;
using CaveComm.Providers.Http;

namespace CaveComm.Providers.BtcPay;

/// <summary>What settled payments count towards an invoice in its own currency.</summary>
/// <remarks>
/// Rounding. A payment is worth coins (less the method's fee) × the invoice's rate, to the nearest minor unit, each for itself: what was told of
/// one payment must not change when the next arrives. Coins never divide evenly into cents, so of an invoice that BTCPay holds to be paid in full
/// the last payment takes up the difference, and the sum is the invoice's amount to the cent; paid over, the sum is never less than it.
/// An invoice that somebody marked settled has a payment <c>marked:{invoice}</c> for whatever did not come in through BTCPay.
/// </remarks>
internal static class BtcPayPayments
{
    private sealed record Seen(string Id, decimal Coins, decimal Worth, DateTimeOffset At);

    public static List<SettledPayment> Count(JsonElement invoice, IReadOnlyList<JsonElement> methods, Money asked)
    {
        var status = invoice.Text("status");
        var additional = invoice.Text("additionalStatus");
        var expiry = invoice.Time("expirationTime");
        var settled = Settled(invoice, methods);
        var amounts = settled.Select(payment => BtcPayMoney.Minor(payment.Worth, asked.Currency)).ToList();
        var sum = amounts.Aggregate(Money.Zero(asked.Currency), (total, amount) => total + amount);
        if (settled.Count > 0 && PaidInFull(status, additional, asked, sum, settled.Count))
        {
            amounts[^1] += asked - sum;
            sum = asked;
        }

        // Settled means that nobody needs to decide any more, however late the money came.
        var payments = settled
            .Zip(amounts, (payment, amount) => new SettledPayment(
                payment.Id, amount, BtcPayMoney.Satoshi(payment.Coins), payment.At, status != "Settled" && payment.At > expiry, Charge: null))
            .ToList();
        if (status != "Settled" && additional == "PaidLate" && payments.Count > 0 && !payments.Exists(payment => payment.Late))
        {
            payments[^1] = payments[^1] with { Late = true };
        }

        if (status == "Settled" && (asked - sum).IsPositive)
        {
            // When it was marked is not told; the time of the invoice is the same in every reading.
            var at = settled is [.., var last] ? last.At : invoice.Time("createdTime") ?? DateTimeOffset.UnixEpoch;
            payments.Add(new SettledPayment($"marked:{invoice.Text("id")}", asked - sum, Money.Zero("BTC"), at, Late: false, Charge: null));
        }

        return payments;
    }

    /// <summary>Whether the difference between sum and invoice is rounding only.</summary>
    private static bool PaidInFull(string? status, string? additional, Money asked, Money sum, int payments) => (status, additional) switch
    {
        // Marked by a person: what is missing is truly missing, unless it is less than rounding makes.
        ("Settled", "Marked") => Within(asked, sum, payments) && sum.Minor < asked.Minor,
        ("Settled", "PaidOver") => sum.Minor < asked.Minor,
        ("Settled", _) => sum.Minor < asked.Minor || Within(asked, sum, payments),
        (_, "PaidLate") => Within(asked, sum, payments),
        _ => false,
    };

    private static bool Within(Money asked, Money sum, int payments) => Math.Abs(asked.Minor - sum.Minor) <= payments;

    private static List<Seen> Settled(JsonElement invoice, IReadOnlyList<JsonElement> methods)
    {
        var created = invoice.Time("createdTime") ?? DateTimeOffset.UnixEpoch;
        var seen = from method in methods
                   let rate = BtcPayMoney.Told(method, "rate")
                   from payment in method.Items("payments")
                   where payment.Text("status") == "Settled"
                   let id = payment.Text("id")
                   let coins = BtcPayMoney.Told(payment, "value")
                   where id is not null && coins > 0
                   select new Seen(id, coins, BtcPayMoney.Worth(coins - (BtcPayMoney.Told(payment, "fee")), rate), payment.Time("receivedDate") ?? created);

        // Times are whole seconds. Of two in the same second BTCPay's own order stays, which is that of their arrival: what was told of the first must not change.
        return [.. seen.DistinctBy(payment => payment.Id).OrderBy(payment => payment.At)];
    }
}
