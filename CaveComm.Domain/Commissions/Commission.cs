using System.Diagnostics;
using static CaveComm.Domain.Commissions.CommissionEvent;

namespace CaveComm.Domain.Commissions;

/// <summary>What decisions about one commission need to know. Screens have projections.</summary>
public sealed record Commission : IState<Commission, CommissionEvent>
{
    public static Commission Initial { get; } = new();

    public string Freelancer { get; init; } = "";

    public string Provider { get; init; } = "";

    /// <summary>Null for work agreed elsewhere.</summary>
    public string? TemplateName { get; init; }

    public int? Slots { get; init; }

    public PaymentTerms PaymentTerms { get; init; }

    public Money Price { get; init; }

    public bool IsRequested { get; init; }

    public bool IsAccepted { get; init; }

    /// <summary>Declined, withdrawn or cancelled; null while the work may go on.</summary>
    public CommissionStatus? Ended { get; init; }

    /// <summary>The invoice that can be paid now.</summary>
    public OpenInvoice? Invoice { get; init; }

    public bool InvoiceHasExpired { get; init; }

    /// <summary>The attempt that the next invoice has: definite refusals, expiries and voids raise it.</summary>
    public int InvoiceAttempt { get; init; } = 1;

    /// <summary>The provider refused the last attempt, so it is not tried again by itself.</summary>
    public bool InvoiceSetUpHasFailed { get; init; }

    /// <summary>The open invoice was made unpayable; the freelancer says whether there shall be another.</summary>
    public bool InvoiceWasVoided { get; init; }

    /// <summary>Ids of all payments that were told.</summary>
    public IReadOnlyList<string> PaymentIds { get; init; } = [];

    /// <summary>Ids of payments that were tried and failed; one may still succeed later.</summary>
    public IReadOnlyList<string> FailedPaymentIds { get; init; } = [];

    /// <summary>What counts towards the price: payments in time.</summary>
    public Money Received { get; init; }

    /// <summary>The same money in the coin that came in; null before the first payment.</summary>
    public Money? ReceivedCoin { get; init; }

    /// <summary>Stripe's charge, where the money came by a single one: a transfer can be tied to one charge only.</summary>
    public string? Charge { get; init; }

    public int ProductVersion { get; init; }

    public int DeliveredVersion { get; init; }

    public int DownloadedVersion { get; init; }

    public int LinkGeneration { get; init; } = 1;

    public RequestedPayout? Payout { get; init; }

    public int PayoutAttempt { get; init; } = 1;

    public bool IsPaidOut { get; init; }

    public bool IsCustomerErased { get; init; }

    public bool IsFullyPaid => IsRequested && Received.Minor >= Price.Minor;

    /// <summary>What is still missing; zero when fully paid.</summary>
    public Money Missing => IsFullyPaid ? Money.Zero(Price.Currency) : Price - Received;

    public bool IsDelivered => DeliveredVersion > 0;

    /// <summary>An invoice has to be set up now and is not.</summary>
    public bool NeedsInvoice => Ended is null && MayHaveInvoice;

    /// <summary>
    /// The provider may have an invoice that is not recorded: it is being set up. Also of work that was called off meanwhile; then it has to be
    /// found, so that it can be made unpayable.
    /// </summary>
    public bool MayHaveInvoice => IsAccepted && !IsFullyPaid && Invoice is null
        && !InvoiceHasExpired && !InvoiceWasVoided && !InvoiceSetUpHasFailed
        && (PaymentTerms == PaymentTerms.UpFront || ProductVersion > 0);

    /// <summary>The freelancer's money may be sent: delivered, paid, and not sent yet.</summary>
    public bool NeedsPayout => IsDelivered && IsFullyPaid && Payout is null && !IsPaidOut;

    public CommissionStatus Status => this switch
    {
        { IsRequested: false } => CommissionStatus.None,
        { Ended: { } ended } => ended,
        { IsPaidOut: true } => CommissionStatus.PaidOut,
        { IsDelivered: true } => CommissionStatus.Delivered,
        { IsAccepted: false } => CommissionStatus.Requested,
        { IsFullyPaid: false, InvoiceHasExpired: true } => CommissionStatus.Expired,
        { PaymentTerms: PaymentTerms.UpFront, IsFullyPaid: true } => CommissionStatus.InProgress,
        { PaymentTerms: PaymentTerms.UpFront, Invoice: null } => CommissionStatus.Accepted,
        { PaymentTerms: PaymentTerms.OnDelivery, ProductVersion: 0 } => CommissionStatus.InProgress,
        _ => CommissionStatus.AwaitingPayment,
    };

    public static Commission Evolve(Commission it, CommissionEvent happened) => happened switch
    {
        Requested e => it with
        {
            IsRequested = true,
            Freelancer = e.Freelancer,
            Provider = e.Provider,
            TemplateName = e.Template.Name,
            Slots = e.Template.Slots,
            PaymentTerms = e.Template.PaymentTerms,
            Price = e.Template.Price,
            Received = Money.Zero(e.Template.Price.Currency),
        },
        Accepted => it with { IsAccepted = true },
        Declined => it with { Ended = CommissionStatus.Declined },
        Withdrawn => it with { Ended = CommissionStatus.Withdrawn },
        Cancelled => it with { Ended = CommissionStatus.Cancelled },
        InvoiceIssued e => it with
        {
            Invoice = new OpenInvoice(e.Provider, e.InvoiceId, e.Amount),
            InvoiceHasExpired = false,
            InvoiceWasVoided = false,
            InvoiceSetUpHasFailed = false,
        },
        InvoiceSetUpFailed => it with { InvoiceAttempt = it.InvoiceAttempt + 1, InvoiceSetUpHasFailed = true },
        InvoiceExpired => it with { Invoice = null, InvoiceHasExpired = true, InvoiceAttempt = it.InvoiceAttempt + 1 },
        InvoiceVoided => it with { Invoice = null, InvoiceWasVoided = true, InvoiceAttempt = it.InvoiceAttempt + 1 },
        PaymentReceived e => it.With(e),
        PaymentFailed e => it with { FailedPaymentIds = [.. it.FailedPaymentIds, e.PaymentId] },
        ProductUploaded e => it with { ProductVersion = e.ProductVersion },
        ReleasedUnpaid => it,
        Delivered e => it with { DeliveredVersion = e.ProductVersion },
        ProductDownloaded e => it with { DownloadedVersion = e.ProductVersion },
        DownloadLinkRenewed e => it with { LinkGeneration = e.LinkGeneration },
        PayoutRequested e => it with { Payout = new RequestedPayout(e.Attempt, e.Provider, e.Destination, e.Amount, e.Fee, e.Charge) },
        PayoutFailed => it with { Payout = null, PayoutAttempt = it.PayoutAttempt + 1 },
        PaidOut => it with { IsPaidOut = true },
        CustomerErased => it with { IsCustomerErased = true },
        _ => throw new UnreachableException($"Evolve does not know {happened.GetType().Name}."),
    };

    private Commission With(PaymentReceived e) => this with
    {
        PaymentIds = [.. PaymentIds, e.PaymentId],
        Received = e.Late ? Received : Received + e.Amount,
        ReceivedCoin = e.Late ? ReceivedCoin : ReceivedCoin is { } coin ? coin + e.Received : e.Received,
        Charge = e.Late ? Charge : ReceivedCoin is null ? e.Charge : null,
    };
}

/// <summary>An invoice that the customer can pay.</summary>
public sealed record OpenInvoice(string Provider, string InvoiceId, Money Amount);

/// <summary>A payout whose money may be on its way.</summary>
public sealed record RequestedPayout(int Attempt, string Provider, string Destination, Money Amount, Money Fee, string? Charge);
