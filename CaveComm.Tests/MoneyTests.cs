using CaveComm.Domain;
using CaveComm.Tests.Support;
using FsCheck;
using FsCheck.Fluent;
using Shouldly;

namespace CaveComm.Tests;

public class MoneyTests
{
    [Theory]
    [InlineData("JPY", 0)]
    [InlineData("EUR", 2)]
    [InlineData("KWD", 3)]
    [InlineData("BTC", 8)]
    public void Each_currency_has_its_digits(string currency, int digits) => Currencies.Digits(currency).ShouldBe(digits);

    [Theory]
    [InlineData("eur")]
    [InlineData("XXX")]
    [InlineData("")]
    public void An_unknown_currency_has_none(string currency)
    {
        Currencies.IsKnown(currency).ShouldBeFalse();
        Should.Throw<ArgumentException>(() => Currencies.Digits(currency));
    }

    [Theory]
    [InlineData("120", "JPY", 120)]
    [InlineData("120.00", "EUR", 120_00)]
    [InlineData("0.05", "EUR", 5)]
    [InlineData("0.00", "EUR", 0)]
    [InlineData("1.234", "KWD", 1_234)]
    [InlineData("0.00000001", "BTC", 1)]
    [InlineData("21000000.00000000", "BTC", 2_100_000_000_000_000)]
    [InlineData("92233720368547758.07", "EUR", long.MaxValue)]
    public void A_sum_is_read_and_written_with_exactly_the_digits_of_its_currency(string amount, string currency, long minor)
    {
        Money.TryParse(amount, currency, out var money).ShouldBeTrue();
        money.ShouldBe(new Money(minor, currency));
        money.ToDecimalString().ShouldBe(amount);
    }

    [Theory]
    [InlineData("120", "EUR")]
    [InlineData("120.0", "EUR")]
    [InlineData("120.000", "EUR")]
    [InlineData("120.", "JPY")]
    [InlineData("120.0", "JPY")]
    [InlineData("1.00", "KWD")]
    [InlineData(".50", "EUR")]
    [InlineData("-1.00", "EUR")]
    [InlineData("+1.00", "EUR")]
    [InlineData("01.00", "EUR")]
    [InlineData("1,000.00", "EUR")]
    [InlineData("1e2.00", "EUR")]
    [InlineData(" 1.00", "EUR")]
    [InlineData("1.00\n", "EUR")]
    [InlineData("\u0661.\u0660\u0660", "EUR")]
    [InlineData("1.0.0", "EUR")]
    [InlineData("", "EUR")]
    [InlineData(null, "EUR")]
    [InlineData("1.00", null)]
    [InlineData("1.00", "eur")]
    [InlineData("92233720368547758.08", "EUR")]
    [InlineData("99999999999999999999999999.00", "EUR")]
    public void Anything_else_is_no_sum(string? amount, string? currency)
    {
        Money.TryParse(amount, currency, out var money).ShouldBeFalse();
        money.ShouldBe(default);
    }

    [Fact]
    public void What_is_written_is_read_back() => Rule.Holds(Any, money =>
    {
        Money.TryParse(money.ToDecimalString().TrimStart('-'), money.Currency, out var read).ShouldBe(money.Minor != long.MinValue);
        if (money.Minor != long.MinValue)
        {
            read.Minor.ShouldBe(Math.Abs(money.Minor));
        }
    });

    [Fact]
    public void Sums_are_exact_or_fail()
    {
        (Some.Euro(1) + Some.Euro(2)).ShouldBe(Some.Euro(3));
        (Some.Euro(1) - Some.Euro(2)).ShouldBe(Some.Euro(-1));
        Should.Throw<OverflowException>(() => Some.Euro(long.MaxValue) + Some.Euro(1));
        Should.Throw<OverflowException>(() => Some.Euro(long.MinValue) - Some.Euro(1));
    }

    [Fact]
    public void Different_currencies_do_not_add_up()
    {
        Should.Throw<ArgumentException>(() => Some.Euro(1) + Some.Satoshi(1));
        Should.Throw<ArgumentException>(() => Some.Euro(1) - Some.Satoshi(1));
    }

    [Theory]
    [InlineData(120_00, 500, 6_00)]
    [InlineData(1, 5_000, 1)]
    [InlineData(1, 4_999, 0)]
    [InlineData(3, 5_000, 2)]
    [InlineData(-1, 5_000, 0)]
    [InlineData(-1, 10_000, -1)]
    [InlineData(long.MaxValue, 10_000, long.MaxValue)]
    [InlineData(long.MinValue, 10_000, long.MinValue)]
    public void A_share_is_rounded_half_up(long minor, int basisPoints, long share) => Some.Euro(minor).Share(basisPoints).ShouldBe(Some.Euro(share));

    [Fact]
    public void A_share_is_never_more_than_the_whole_and_never_more_than_half_a_unit_off() => Rule.Holds(
        Gen.Zip(Any, Gen.Frequency((8, Gen.Choose(0, 10_000)), (1, Gen.Constant(0)), (1, Gen.Constant(10_000)))),
        example =>
        {
            var (whole, basisPoints) = example;
            var share = whole.Share(basisPoints);
            Int128.Abs(share.Minor).ShouldBeLessThanOrEqualTo(Int128.Abs(whole.Minor));
            Int128.Abs(((Int128)share.Minor * 10_000) - ((Int128)whole.Minor * basisPoints)).ShouldBeLessThanOrEqualTo(5_000);
            (share + (whole - share)).ShouldBe(whole);
        });

    [Theory]
    [InlineData(-1)]
    [InlineData(10_001)]
    public void A_share_is_of_the_whole_at_most(int basisPoints) => Should.Throw<ArgumentOutOfRangeException>(() => Some.Price.Share(basisPoints));

    [Fact]
    public void Every_sum_can_be_shown()
    {
        Some.Price.ToString().ShouldBe("120.00 EUR");
        new Money(-5, "EUR").ToString().ShouldBe("-0.05 EUR");
        new Money(long.MinValue, "JPY").ToString().ShouldBe("-9223372036854775808 JPY");
        default(Money).ToString().ShouldNotBeEmpty();
        new Money(5, "???").ToString().ShouldNotBeEmpty();
        CaveComm.Domain.Commissions.Commission.Initial.ToString().ShouldNotBeEmpty();
    }

    [Fact]
    public void A_stored_sum_is_its_minor_units_and_its_currency() => StoreJson.Write(Some.Price).ShouldBe("""{"minor":12000,"currency":"EUR"}""");

    private static Gen<Money> Any =>
        from currency in Gen.Elements("EUR", "JPY", "KWD", "BTC")
        from minor in Gen.Frequency(
            (4, Gen.Choose(-200, 200).Select(n => (long)n)),
            (4, Gen.Choose(int.MinValue, int.MaxValue).Select(n => n * 4_000_000_007L)),
            (1, Gen.Elements(long.MaxValue, long.MinValue, 0L)))
        select new Money(minor, currency);
}
