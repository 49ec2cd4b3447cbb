using System.Text.Json.Nodes;

namespace CaveComm.Sandbox.BtcPay;

/// <summary>What an invoice tells its webhooks.</summary>
/// <param name="Facts">The members that only this type has.</param>
internal sealed record InvoiceEvent(string Type, JsonObject Facts);

/// <summary>One invoice at one moment: what time, payments and people make of it. No store and no clock.</summary>
internal sealed class InvoiceLife(Invoice invoice, DateTimeOffset now)
{
    public Invoice It { get; private set; } = invoice;

    public DateTimeOffset Now => now;

    public List<InvoiceEvent> Events { get; } = [];

    /// <summary>When time will next change it; null when it won't.</summary>
    public DateTimeOffset? NextChange
    {
        get
        {
            var times = It.Payments.Where(it => it.Status == PaymentStatus.Processing).Select(it => it.ConfirmsAt);
            DateTimeOffset? end = It.Status switch
            {
                InvoiceStatus.New => It.ExpiresAt,
                InvoiceStatus.Processing => It.MonitoredUntil,
                InvoiceStatus.Expired or InvoiceStatus.Invalid or InvoiceStatus.Settled => null,
            };
            return times.Append(end).Min();
        }
    }

    public void Created() => Tell("InvoiceCreated");

    /// <summary>Lets the time pass that has passed.</summary>
    public void Advance()
    {
        foreach (var payment in It.Payments.Where(it => it.Status == PaymentStatus.Processing && it.ConfirmsAt <= now))
        {
            Confirm(payment);
        }

        Weigh();
        if (It.Status == InvoiceStatus.New && now >= It.ExpiresAt)
        {
            Expire();
        }
        else if (It.Status == InvoiceStatus.Processing && now >= It.MonitoredUntil)
        {
            It = It with { Status = InvoiceStatus.Invalid };
            Tell("InvoiceInvalid", new() { ["manuallyMarked"] = false });
        }
    }

    /// <summary>A payment is seen. Lightning is final at once.</summary>
    /// <param name="confirmsAt">For payments on the chain; null is never.</param>
    public void Receive(string method, decimal bitcoin, string paymentId, DateTimeOffset? confirmsAt)
    {
        var lightning = method == PaymentMethods.Lightning;
        var payment = new Payment(
            paymentId,
            method,
            bitcoin,
            lightning ? It.Lightning.Text : It.Address,
            now,
            lightning ? now : confirmsAt,
            PaymentStatus.Processing,
            It.Status == InvoiceStatus.Expired);
        It = It with { Payments = It.Payments.Add(payment) };
        if (lightning)
        {
            // A Lightning payment is told as settled from the beginning.
            var settled = payment with { Status = PaymentStatus.Settled };
            It = It with { Payments = It.Payments.Replace(payment, settled) };
            Tell("InvoiceReceivedPayment", About(settled));
            Tell("InvoicePaymentSettled", About(settled));
        }
        else
        {
            Tell("InvoiceReceivedPayment", About(payment));
        }

        Weigh();
    }

    /// <summary>The time to pay ends now.</summary>
    public void EndNow()
    {
        if (It.Status == InvoiceStatus.New)
        {
            It = It with { ExpiresAt = now };
            Advance();
        }
    }

    /// <summary>Nobody waits for confirmations longer than this.</summary>
    public void MonitorUntil(DateTimeOffset end) =>
        It = It with { MonitoredUntil = end, ExpiresAt = It.ExpiresAt < end ? It.ExpiresAt : end };

    /// <summary>What was seen is confirmed now.</summary>
    public void ConfirmNow()
    {
        It = It with { Payments = [.. It.Payments.Select(it => it.Status == PaymentStatus.Processing ? it with { ConfirmsAt = now } : it)] };
        Advance();
    }

    /// <summary>The payments that were seen and not confirmed are gone (spent elsewhere).</summary>
    public void Vanish()
    {
        It = It with
        {
            Payments = [.. It.Payments.Select(it => it.Status == PaymentStatus.Processing ? it with { Status = PaymentStatus.Invalid } : it)],
        };
        if (It.Status == InvoiceStatus.Processing && !It.Covers(It.Paid))
        {
            It = It with { Status = InvoiceStatus.New, Additional = It.Paid > 0 ? AdditionalStatus.PaidPartial : AdditionalStatus.None };
        }

        Advance();
    }

    /// <summary>Someone says so, whatever was paid.</summary>
    public void Mark(bool settled)
    {
        It = It with { Status = settled ? InvoiceStatus.Settled : InvoiceStatus.Invalid, Additional = AdditionalStatus.Marked };
        if (settled)
        {
            Tell("InvoiceSettled", new() { ["manuallyMarked"] = true, ["overPaid"] = false });
        }
        else
        {
            Tell("InvoiceInvalid", new() { ["manuallyMarked"] = true });
        }
    }

    public void Replace(JsonObject metadata) => It = It with { Metadata = metadata };

    public void Archive(bool archived) => It = It with { Archived = archived };

    public void Refund(string pullPaymentId) => Tell("InvoiceRefund", new() { ["pullPaymentId"] = pullPaymentId });

    private void Confirm(Payment payment)
    {
        var settled = payment with { Status = PaymentStatus.Settled };
        It = It with { Payments = It.Payments.Replace(payment, settled) };
        Tell("InvoicePaymentSettled", About(settled));
    }

    /// <summary>Compares what came with what was asked.</summary>
    private void Weigh()
    {
        var paid = It.Paid;
        var covered = It.Covers(paid) && (paid > 0 || It.Due == 0);
        var over = It.Amount is not null && paid > It.Due;
        if (It.Status == InvoiceStatus.New && covered)
        {
            It = It with { Status = InvoiceStatus.Processing, Additional = over ? AdditionalStatus.PaidOver : AdditionalStatus.None };
            Tell("InvoiceProcessing", new() { ["overPaid"] = over });
        }
        else if (It.Status == InvoiceStatus.Expired && covered && It.Additional != AdditionalStatus.PaidLate)
        {
            It = It with { Additional = AdditionalStatus.PaidLate };
            Tell("InvoicePaidAfterExpiration");
        }
        else if (It.Status is InvoiceStatus.New or InvoiceStatus.Expired && !covered && paid > 0)
        {
            It = It with { Additional = AdditionalStatus.PaidPartial };
        }

        if (It.Status == InvoiceStatus.Processing && It.Covers(It.Confirmed) && It.Confirmed == paid)
        {
            It = It with { Status = InvoiceStatus.Settled, Additional = over ? AdditionalStatus.PaidOver : AdditionalStatus.None };
            Tell("InvoiceSettled", new() { ["manuallyMarked"] = false, ["overPaid"] = over });
        }
    }

    private void Expire()
    {
        var partial = It.Paid > 0;
        It = It with { Status = InvoiceStatus.Expired, Additional = partial ? AdditionalStatus.PaidPartial : AdditionalStatus.None };
        Tell("InvoiceExpired", new() { ["partiallyPaid"] = partial });
        if (partial)
        {
            Tell("InvoiceExpiredPaidPartial");
        }
    }

    private static JsonObject About(Payment payment) => new()
    {
        ["afterExpiration"] = payment.AfterExpiration,
        ["paymentMethodId"] = payment.Method,
        ["payment"] = InvoiceShape.Payment(payment),
    };

    private void Tell(string type, JsonObject? facts = null) => Events.Add(new InvoiceEvent(type, facts ?? []));
}
