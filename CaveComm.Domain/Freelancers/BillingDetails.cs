namespace CaveComm.Domain.Freelancers;

/// <summary>What stands on a freelancer's papers beside the work and its price.</summary>
/// <param name="Address">Lines, without the name.</param>
/// <param name="TaxId">Such as a VAT number.</param>
/// <param name="TaxRateBasisPoints">The share of tax on top of the net sum, in hundredths of a percent; prices contain it. Null where none is shown.</param>
/// <param name="ReverseChargeNote">Why no tax is charged, in place of a rate.</param>
public sealed record BillingDetails(string LegalName, IReadOnlyList<string> Address, string? TaxId, int? TaxRateBasisPoints, string? ReverseChargeNote)
{
    public const int MostAddressLines = 6;
    public const int MostTaxRate = 5_000;

    private const int MostLine = 100;

    public bool Equals(BillingDetails? other) => other is not null && LegalName == other.LegalName && Address.SequenceEqual(other.Address)
        && TaxId == other.TaxId && TaxRateBasisPoints == other.TaxRateBasisPoints && ReverseChargeNote == other.ReverseChargeNote;

    public override int GetHashCode() => HashCode.Combine(LegalName, Address.Count, TaxId, TaxRateBasisPoints, ReverseChargeNote);

    /// <summary>Every fault, by the fields of the profile's <c>billing</c>.</summary>
    public void Check(Faults faults)
    {
        ArgumentNullException.ThrowIfNull(faults);
        faults.RequireLine("billing.legalName", LegalName, MostLine);
        faults.Require(Address.Count <= MostAddressLines, "billing.address", $"At most {MostAddressLines} lines.");
        foreach (var line in Address)
        {
            faults.RequireLine("billing.address", line, MostLine);
        }

        if (TaxId is not null)
        {
            faults.RequireLine("billing.taxId", TaxId, 50);
        }

        if (TaxRateBasisPoints is { } rate)
        {
            faults.Require(rate is >= 0 and <= MostTaxRate, "billing.taxRateBasisPoints", $"From 0 to {MostTaxRate} hundredths of a percent: 1900 is 19 %.");
        }

        if (ReverseChargeNote is not null)
        {
            faults.RequireLine("billing.reverseChargeNote", ReverseChargeNote, 300);
            faults.Require(TaxRateBasisPoints is null, "billing.reverseChargeNote", "Either a tax rate or this note, not both.");
        }
    }
}
