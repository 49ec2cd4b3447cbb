namespace CaveComm.Sandbox.BtcPay;

/// <summary>What the buttons do. Each twice is the same as once: a double click costs nothing.</summary>
internal static class PayActions
{
    /// <param name="method"><c>ln</c> for Lightning; anything else is on the chain.</param>
    /// <returns>Null when there is no such action.</returns>
    public static Action<InvoiceLife>? Find(string? action, string? method, TimeSpan confirmAfter)
    {
        var way = method is "ln" or PaymentMethods.Lightning ? PaymentMethods.Lightning : PaymentMethods.Chain;
        return action switch
        {
            "pay" => life => Pay(life, way, confirmAfter),
            "pay-half" => life => PayHalf(life, way, confirmAfter),
            "pay-too-much" => life => PayTooMuch(life, way, confirmAfter),
            "pay-late" => life => PayLate(life, confirmAfter),
            "expire" => life => life.EndNow(),
            "decline" => life => Decline(life, confirmAfter),
            "pay-unconfirmed" => PayUnconfirmed,
            "confirm" => life => life.ConfirmNow(),
            "vanish" => life => life.Vanish(),
            "mark-settled" => life => Mark(life, settled: true),
            "mark-invalid" => life => Mark(life, settled: false),
            _ => null,
        };
    }

    /// <summary>Pays what is missing.</summary>
    public static void Pay(InvoiceLife life, string way, TimeSpan confirmAfter)
    {
        if (life.It.Status == InvoiceStatus.Expired)
        {
            PayLate(life, confirmAfter); // From a page left open too long.
        }
        else if (life.It.Status == InvoiceStatus.New)
        {
            Send(life, way, Missing(life), confirmAfter);
        }
    }

    /// <summary>The shop's owner says so by hand, where the server lets it be said.</summary>
    private static void Mark(InvoiceLife life, bool settled)
    {
        if (settled ? life.It.MaySettle : life.It.MayInvalidate)
        {
            life.Mark(settled);
        }
    }

    private static void PayHalf(InvoiceLife life, string way, TimeSpan confirmAfter)
    {
        if (life.It.Status == InvoiceStatus.New && life.It.Paid == 0)
        {
            Send(life, way, Math.Max(BtcPayRates.Satoshi, Floor(life.It.Due / 2)), confirmAfter);
        }
    }

    private static void PayTooMuch(InvoiceLife life, string way, TimeSpan confirmAfter)
    {
        if (life.It.Status == InvoiceStatus.New)
        {
            Send(life, way, Missing(life) + Math.Max(BtcPayRates.Satoshi, Floor(life.It.Due / 2)), confirmAfter);
        }
    }

    private static void PayLate(InvoiceLife life, TimeSpan confirmAfter)
    {
        life.EndNow();
        if (life.It.Status == InvoiceStatus.Expired && life.It.Additional != AdditionalStatus.PaidLate)
        {
            // A Lightning invoice can't be paid after its end; an address can.
            Send(life, PaymentMethods.Chain, Missing(life), confirmAfter);
        }
    }

    /// <summary>Stays as it is until somebody has it confirmed, takes it back, or nobody waits for it any longer.</summary>
    private static void PayUnconfirmed(InvoiceLife life)
    {
        if (life.It.Status == InvoiceStatus.New)
        {
            life.Receive(PaymentMethods.Chain, Missing(life), TransactionId(PaymentMethods.Chain), confirmsAt: null);
        }
    }

    private static void Decline(InvoiceLife life, TimeSpan giveUpAfter)
    {
        if (life.It.Status == InvoiceStatus.New)
        {
            life.Receive(PaymentMethods.Chain, Missing(life), TransactionId(PaymentMethods.Chain), confirmsAt: null);
            life.MonitorUntil(life.Now + giveUpAfter);
        }
    }

    private static void Send(InvoiceLife life, string way, decimal bitcoin, TimeSpan confirmAfter) =>
        life.Receive(way, bitcoin, TransactionId(way, life.It), life.Now + confirmAfter);

    /// <summary>On the chain a payment is an output of a transaction; on Lightning it is the payment hash.</summary>
    private static string TransactionId(string way, Invoice? invoice = null) =>
        way == PaymentMethods.Lightning && invoice is not null && invoice.Payments.All(it => it.Method != way)
            ? invoice.Lightning.PaymentHash
            : way == PaymentMethods.Lightning ? BtcPayStore.NewHash() : BtcPayStore.NewHash() + "-0";

    private static decimal Missing(InvoiceLife life) =>
        life.It.Amount is null ? BtcPayRates.ToBitcoin(10, life.It.Currency) : Math.Max(BtcPayRates.Satoshi, life.It.Due - life.It.Paid);

    private static decimal Floor(decimal bitcoin) => decimal.Floor(bitcoin / BtcPayRates.Satoshi) * BtcPayRates.Satoshi;
}
