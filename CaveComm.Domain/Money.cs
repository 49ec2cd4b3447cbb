using System.Globalization;
using System.Text.Json.Serialization;

namespace CaveComm.Domain;

/// <summary>An exact sum: whole minor units (cents, satoshi, yen) of one currency.</summary>
/// <param name="Minor">Minor units; negative where a balance can be.</param>
/// <param name="Currency">ISO 4217 code in capitals, or <c>BTC</c>, which counts satoshi.</param>
public readonly record struct Money(long Minor, string Currency)
{
    public static Money Zero(string currency) => new(0, currency);

    [JsonIgnore] // A stored sum is its minor units and its currency, nothing that can be worked out from them.
    public bool IsZero => Minor == 0;

    [JsonIgnore]
    public bool IsPositive => Minor > 0;

    public static Money operator +(Money left, Money right) => Add(left, right);

    public static Money operator -(Money left, Money right) => Subtract(left, right);

    public static Money Add(Money left, Money right) => new(checked(left.Minor + SameCurrency(left, right).Minor), left.Currency);

    public static Money Subtract(Money left, Money right) => new(checked(left.Minor - SameCurrency(left, right).Minor), left.Currency);

    /// <summary>A share in basis points (1/100 of a percent), rounded half up towards positive: never more than a minor unit off, never more than the whole.</summary>
    /// <param name="basisPoints">0 to 10,000.</param>
    public Money Share(int basisPoints)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(basisPoints);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(basisPoints, 10_000);
        var (share, rest) = Int128.DivRem(((Int128)Minor * basisPoints) + 5_000, 10_000);
        return new Money((long)(rest < 0 ? share - 1 : share), Currency);
    }

    /// <summary>The decimal form with exactly the currency's digits, such as <c>120.00</c>.</summary>
    public string ToDecimalString()
    {
        var digits = Currencies.Digits(Currency);
        var magnitude = UInt128.CreateChecked(Int128.Abs(Minor)).ToString(CultureInfo.InvariantCulture).PadLeft(digits + 1, '0');
        var sign = Minor < 0 ? "-" : "";
        return digits == 0 ? sign + magnitude : $"{sign}{magnitude[..^digits]}.{magnitude[^digits..]}";
    }

    /// <summary>Reads <c>120.00</c>: digits, a point and exactly the currency's decimal places. No sign, no exponent, no grouping.</summary>
    /// <returns>False when the currency is not known, the digit count is wrong or the sum does not fit.</returns>
    public static bool TryParse(string? amount, string? currency, out Money money)
    {
        money = default;
        if (amount is null || currency is null || !Currencies.IsKnown(currency))
        {
            return false;
        }

        var digits = Currencies.Digits(currency);
        var point = amount.IndexOf('.', StringComparison.Ordinal);
        var whole = point < 0 ? amount : amount[..point];
        var fraction = point < 0 ? "" : amount[(point + 1)..];
        if (whole.Length == 0 || (whole.Length > 1 && whole[0] == '0') || fraction.Length != digits || (point >= 0 && digits == 0)
            || !whole.All(char.IsAsciiDigit) || !fraction.All(char.IsAsciiDigit)
            || !long.TryParse(whole + fraction, NumberStyles.None, CultureInfo.InvariantCulture, out var minor))
        {
            return false;
        }

        money = new Money(minor, currency);
        return true;
    }

    /// <summary>For people and logs; never fails, not even for a sum in no currency.</summary>
    public override string ToString() => Currency is not null && Currencies.IsKnown(Currency)
        ? $"{ToDecimalString()} {Currency}"
        : string.Create(CultureInfo.InvariantCulture, $"{Minor} minor units of {Currency ?? "no currency"}");

    private static Money SameCurrency(Money left, Money right) => left.Currency == right.Currency
        ? right
        : throw new ArgumentException($"{left} and {right} are of different currencies.", nameof(right));
}
