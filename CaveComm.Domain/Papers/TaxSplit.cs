namespace CaveComm.Domain.Papers;

/// <summary>A gross sum and the tax that it contains. Net and tax are the gross sum again, to the last minor unit.</summary>
public readonly record struct TaxSplit(Money Net, Money Tax)
{
    /// <param name="gross">Not negative.</param>
    /// <param name="basisPoints">The rate on the net sum, in hundredths of a percent. The tax is rounded half up.</param>
    public static TaxSplit Of(Money gross, int basisPoints)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(gross.Minor);
        ArgumentOutOfRangeException.ThrowIfNegative(basisPoints);
        var whole = (Int128)(10_000 + basisPoints);
        var tax = gross with { Minor = (long)((((Int128)gross.Minor * basisPoints * 2) + whole) / (whole * 2)) };
        return new TaxSplit(gross - tax, tax);
    }
}
