using CaveComm.Api.Commissions;
using CaveComm.Api.Notifications;
using CaveComm.Domain;
using CaveComm.Domain.Commissions;
using CaveComm.Domain.Freelancers;
using CaveComm.Domain.Papers;
using CaveComm.Projections.Commissions;
using static CaveComm.Domain.Commissions.CommissionEvent;

namespace CaveComm.Api.Papers;

/// <summary>What papers say of one commission, read from its stream and its freelancer's row of numbers.</summary>
internal sealed class PaperFacts
{
    private readonly List<NumberedInvoice> invoices = [];
    private readonly List<EvidenceProduct> products = [];
    private readonly List<EvidenceLetter> letters = [];
    private readonly Dictionary<string, string> credits = new(StringComparer.Ordinal);
    private readonly List<CreditPaper> creditPapers = [];
    private bool acceptedTerms;

    private PaperFacts(CommissionDetail detail, BillingDetails seller) => (Detail, Seller) = (detail, seller);

    public CommissionDetail Detail { get; }

    /// <summary>What counts now; papers that are numbered carry what counted then.</summary>
    public BillingDetails Seller { get; }

    /// <returns>Null when there is no such commission.</returns>
    public static async Task<PaperFacts?> Load(IQuerySession session, Guid requestId, CancellationToken cancel)
    {
        var key = StreamKey.Commission(requestId);
        if (await session.Events.AggregateStreamAsync<CommissionDetail>(key, token: cancel) is not { } detail)
        {
            return null;
        }

        // The version that was folded, and no later one: both readings tell of the same moment.
        var happened = (await session.Events.FetchStreamAsync(key, token: cancel)).Where(it => it.Version <= detail.Version);
        var handle = detail.State.Freelancer;
        var numbers = await session.Events.FetchStreamAsync(StreamKey.Numbers(handle), token: cancel);
        var shop = await session.Events.AggregateStreamAsync<Freelancer>(StreamKey.Freelancer(handle), token: cancel) ?? Freelancer.Initial;
        var facts = new PaperFacts(detail, shop.OnPapers(handle));
        facts.Fold(happened, [.. numbers.Where(it => it.Data is NumberEvent n && n.Commission == requestId)]);
        return facts;
    }

    /// <param name="number">One of the commission's invoices; the newest when null.</param>
    /// <returns>Null when there is none with a number.</returns>
    public InvoicePaper? Invoice(string? number)
    {
        if (invoices.LastOrDefault(it => it.Number is not null && (number is null || string.Equals(it.Number, number, StringComparison.OrdinalIgnoreCase))) is not { } invoice)
        {
            return null;
        }

        var issued = invoice.Issued;
        var standing = invoice.Standing switch
        {
            InvoicePaperStanding.Open when Detail.State.Ended is not null => InvoicePaperStanding.Cancelled,
            InvoicePaperStanding.Open when Detail.State.IsPaymentSeen && Detail.State.SeenInvoiceId == issued.InvoiceId => InvoicePaperStanding.Processing,
            var other => other,
        };
        return new InvoicePaper(
            invoice.Number!,
            standing,
            invoice.At,
            issued.DueAt,
            invoice.Details!,
            Detail.Customer,
            Detail.Title,
            Detail.State.Price,
            issued.Amount,
            invoice.Paid,
            issued.Provider,
            issued.Number ?? issued.InvoiceId,
            Detail.RequestId,
            standing == InvoicePaperStanding.Open && Uri.TryCreate(issued.PayUrl, UriKind.Absolute, out var url) && url.Scheme is "https" or "http" ? url : null)
        {
            InvoiceId = issued.InvoiceId,
        };
    }

    /// <returns>Null before the commission is paid, and where nothing came in for an invoice that has a number.</returns>
    public ReceiptPaper? Receipt()
    {
        var state = Detail.State;
        var counting = state.Payments.Where(it => it.Counts).Select(it => it.PaymentId).ToHashSet(StringComparer.Ordinal);
        var paid = invoices.Where(it => it.Number is not null && it.PaymentIds.Exists(counting.Contains)).ToList();
        if (!state.IsFullyPaid || paid is [])
        {
            return null;
        }

        var refunds = Detail.Refunds.Where(it => it.Status == "refunded" && counting.Contains(it.PaymentId)).Select(it => new ReceiptRefund(
            it.Id is null ? null : credits.GetValueOrDefault(it.Id), it.Reason is null ? "Refund" : $"Refund: {it.Reason}", it.Amount, it.At));
        var lost = Detail.Disputes.Where(it => it.Status == "lost" && counting.Contains(it.PaymentId) && it.Amount.Currency == state.Price.Currency)
            .Select(it => new ReceiptRefund(null, $"Taken back by the customer\u2019s bank ({it.Id})", it.Amount, it.At));
        var back = refunds.Concat(lost).OrderBy(it => it.At).ToList();
        return new ReceiptPaper(
            [.. paid.Select(it => it.Number!)],
            paid[^1].Details!,
            Detail.Customer,
            Detail.Title,
            state.Price,
            state.Waived,
            [.. Detail.Payments.Where(it => counting.Contains(it.Id))],
            back,
            state.Received,
            state.Received with { Minor = Math.Max(0, state.Received.Minor - back.Sum(it => it.Amount.Minor)) },
            state.Provider,
            Detail.RequestId,
            Detail.Payments.Where(it => counting.Contains(it.Id)).Select(it => it.At).Concat(back.Select(it => it.At)).Max());
    }

    /// <param name="number">One of the commission's credits; the newest when null.</param>
    /// <returns>Null when there is none with a number, for an invoice with a number.</returns>
    public CreditPaper? Credit(string? number) =>
        creditPapers.FindLast(it => number is null || string.Equals(it.Number, number, StringComparison.OrdinalIgnoreCase));

    public EvidencePaper Evidence() => new(
        Detail,
        invoices.LastOrDefault(it => it.Details is not null)?.Details ?? Seller,
        acceptedTerms,
        [.. invoices.Select(it => (it.Number ?? it.Issued.Number ?? it.Issued.InvoiceId, $"{it.Issued.Amount}, {PaperWords.Standing(it.Standing)}, {PaperWords.Time(it.At)} ({it.Issued.InvoiceId})"))],
        products,
        letters);

    private void Fold(IEnumerable<IEvent> events, IReadOnlyList<IEvent> numbers)
    {
        var handle = Detail.State.Freelancer;
        foreach (var credit in numbers)
        {
            if (credit.Data is NumberEvent.CreditNumbered numbered)
            {
                credits[numbered.CreditId] = PaperNumber.Of(handle, credit.Version);
            }
        }

        var state = Commission.Initial;
        foreach (var e in events)
        {
            if (e.Data is CommissionEvent happened)
            {
                var before = state;
                state = Commission.Evolve(before, happened);
                Note(e, happened, numbers);
                if (state.IsFullyPaid && !before.IsFullyPaid && (invoices.FindLast(it => it.PaymentIds.Count > 0) ?? invoices.LastOrDefault()) is { } paid)
                {
                    paid.Standing = InvoicePaperStanding.Paid;
                }

                letters.AddRange(WhatFollows.After(Detail.RequestId, before, happened, state).Select(it => Text(it.Message)).OfType<string>().Select(it => new EvidenceLetter(e.Timestamp, it)));
            }
        }
    }

    private void Note(IEvent e, CommissionEvent happened, IReadOnlyList<IEvent> numbers)
    {
        switch (happened)
        {
            case Requested x:
                acceptedTerms = x.AcceptedTerms;
                break;
            case InvoiceIssued x:
                var number = numbers.LastOrDefault(it => it.Data is NumberEvent.InvoiceNumbered numbered && numbered.InvoiceId == x.InvoiceId);
                invoices.Add(new NumberedInvoice(
                    x, e.Timestamp, number is null ? null : PaperNumber.Of(Detail.State.Freelancer, number.Version), (number?.Data as NumberEvent.InvoiceNumbered)?.Details));
                break;
            case InvoiceExpired x:
                End(x.InvoiceId, InvoicePaperStanding.Expired);
                break;
            case InvoiceVoided x:
                End(x.InvoiceId, InvoicePaperStanding.Cancelled);
                break;
            case PaymentReceived x when invoices.FindLast(it => it.Issued.InvoiceId == x.InvoiceId) is { } invoice:
                invoice.PaymentIds.Add(x.PaymentId);
                invoice.Paid += x.Amount;
                break;
            case Refunded x:
                AddCredit(e, x.RefundId, x.Amount, invoices.FindLast(it => it.PaymentIds.Contains(x.PaymentId)), Detail.Refunds.FirstOrDefault(it => it.Number == x.Number && x.Number is not null));
                break;
            case RefundFailed { RefundId: { } refundId } when creditPapers.FindIndex(it => it.IsRefund && it.ProviderNumber == refundId) is >= 0 and var place:
                creditPapers[place] = creditPapers[place] with { CameBack = true };
                break;
            case InvoiceCredited x:
                AddCredit(e, x.CreditId, x.Amount, invoices.FindLast(it => it.Issued.InvoiceId == x.InvoiceId), null, isRefund: false);
                break;
            case ProductUploaded x:
                products.Add(new EvidenceProduct(x.ProductVersion, e.Timestamp, null, null, null, x.Files));
                break;
            case Delivered x:
                Change(x.ProductVersion, it => it with { DeliveredAt = e.Timestamp });
                break;
            case ProductDownloaded x:
                Change(x.ProductVersion, it => it with { DownloadedAt = e.Timestamp, DownloadedFile = x.FileId });
                break;
        }
    }

    private void AddCredit(IEvent e, string id, Money amount, NumberedInvoice? invoice, RefundDetail? asked, bool isRefund = true)
    {
        if (credits.GetValueOrDefault(id) is { } number && invoice is { Number: { } about, Details: { } seller })
        {
            // What it was asked for is overwritten by why it failed, where it did.
            var reason = asked is { Status: not "failed" } ? asked.Reason : null;
            creditPapers.Add(new CreditPaper(
                number, e.Timestamp, seller, Detail.Customer, about, Detail.Title, reason, amount, isRefund, CameBack: false, invoice.Issued.Provider, id, Detail.RequestId));
        }
    }

    private static string? Text(object message) => message switch
    {
        MailCustomer letter => PaperWords.Letter(letter.Letter),
        SendInvoice => "The invoice, with the pay link, by the payment provider\u2019s own mail.",
        _ => null,
    };

    // One that is paid stays so: what is void afterwards is the rest that nobody asks for.
    private void End(string invoiceId, InvoicePaperStanding standing)
    {
        if (invoices.FindLast(it => it.Issued.InvoiceId == invoiceId) is { Standing: InvoicePaperStanding.Open } invoice)
        {
            invoice.Standing = standing;
        }
    }

    private void Change(int version, Func<EvidenceProduct, EvidenceProduct> change)
    {
        if (products.FindLastIndex(it => it.Version == version) is >= 0 and var place)
        {
            products[place] = change(products[place]);
        }
    }

    private sealed class NumberedInvoice(InvoiceIssued issued, DateTimeOffset at, string? number, BillingDetails? details)
    {
        public InvoiceIssued Issued { get; } = issued;

        public DateTimeOffset At { get; } = at;

        public string? Number { get; } = number;

        public BillingDetails? Details { get; } = details;

        public InvoicePaperStanding Standing { get; set; }

        public Money Paid { get; set; } = Money.Zero(issued.Amount.Currency);

        public List<string> PaymentIds { get; } = [];
    }
}
