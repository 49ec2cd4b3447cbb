using System.Globalization;
using CaveComm.Domain.Freelancers;

namespace CaveComm.Domain.Papers;

/// <summary>
/// What a freelancer's papers are numbered by. Each event of the stream is one paper, and its version is the number: versions have no gaps and are
/// given once, whoever else writes. Stored for ever: add, never edit; and add nothing here that is no paper.
/// </summary>
public abstract record NumberEvent(Guid Commission)
{
    /// <summary>Recorded with <c>InvoiceIssued</c>. An invoice that expires or is voided keeps its number.</summary>
    /// <param name="InvoiceId">The provider's id.</param>
    /// <param name="Details">What counted then; a later change of the profile alters nothing here.</param>
    public sealed record InvoiceNumbered(Guid Commission, string InvoiceId, BillingDetails Details) : NumberEvent(Commission);

    /// <summary>Recorded when money went back, or when an invoice was made to ask for less.</summary>
    /// <param name="CreditId">The provider's id of the refund or credit note.</param>
    public sealed record CreditNumbered(Guid Commission, string CreditId, Money Amount) : NumberEvent(Commission);
}

/// <summary>How numbers are written.</summary>
public static class PaperNumber
{
    /// <summary>Such as <c>ADA-0001</c>.</summary>
    /// <param name="version">The event's version in the freelancer's stream of numbers, from 1.</param>
    public static string Of(string handle, long version)
    {
        ArgumentNullException.ThrowIfNull(handle);
        return string.Create(CultureInfo.InvariantCulture, $"{handle.ToUpperInvariant()}-{version:0000}");
    }
}
