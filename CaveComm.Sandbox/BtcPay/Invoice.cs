using System.Collections.Immutable;
using System.Text.Json.Nodes;

namespace CaveComm.Sandbox.BtcPay;

internal enum InvoiceStatus
{
    New,
    Processing,
    Expired,
    Invalid,
    Settled,
}

internal enum AdditionalStatus
{
    None,
    PaidLate,
    PaidPartial,
    Marked,
    PaidOver,
}

internal enum PaymentStatus
{
    Invalid,
    Processing,
    Settled,
}

/// <summary>One payment to an invoice.</summary>
/// <param name="Value">In bitcoin.</param>
/// <param name="ConfirmsAt">Null: never.</param>
internal sealed record Payment(
    string Id,
    string Method,
    decimal Value,
    string Destination,
    DateTimeOffset ReceivedAt,
    DateTimeOffset? ConfirmsAt,
    PaymentStatus Status,
    bool AfterExpiration);

/// <summary>An invoice as it is kept. What callers see is made of it by <see cref="InvoiceShape"/>.</summary>
internal sealed record Invoice
{
    public required string Id { get; init; }

    /// <summary>Invoices of one second are told apart by it when they are listed.</summary>
    public required long Number { get; init; }

    /// <summary>Null: any payment will do (a top-up).</summary>
    public decimal? Amount { get; init; }

    public required string Currency { get; init; }

    public required JsonObject Metadata { get; init; }

    /// <summary>All members filled in, in the API's words.</summary>
    public required JsonObject Checkout { get; init; }

    public required JsonObject Receipt { get; init; }

    public ImmutableArray<string> SearchTerms { get; init; } = [];

    public required DateTimeOffset CreatedAt { get; init; }

    public required DateTimeOffset ExpiresAt { get; init; }

    public required DateTimeOffset MonitoredUntil { get; init; }

    public InvoiceStatus Status { get; init; }

    public AdditionalStatus Additional { get; init; }

    public bool Archived { get; init; }

    /// <summary>In bitcoin, fixed with the rate at the beginning.</summary>
    public required decimal Due { get; init; }

    /// <summary>In percent of <see cref="Due"/>.</summary>
    public decimal Tolerance { get; init; }

    public required string Address { get; init; }

    public required Bolt11 Lightning { get; init; }

    public ImmutableArray<Payment> Payments { get; init; } = [];

    /// <summary>Bitcoin seen so far, confirmed or not.</summary>
    public decimal Paid => Payments.Where(it => it.Status != PaymentStatus.Invalid).Sum(it => it.Value);

    public decimal Confirmed => Payments.Where(it => it.Status == PaymentStatus.Settled).Sum(it => it.Value);

    public bool MaySettle => Status is InvoiceStatus.New or InvoiceStatus.Processing or InvoiceStatus.Expired or InvoiceStatus.Invalid;

    public bool MayInvalidate =>
        Status is InvoiceStatus.New or InvoiceStatus.Processing or InvoiceStatus.Expired
        || (Status == InvoiceStatus.Settled && Additional == AdditionalStatus.Marked);

    public bool Covers(decimal sum) => Amount is null ? sum > 0 : sum >= Due * (1 - (Tolerance / 100));
}
