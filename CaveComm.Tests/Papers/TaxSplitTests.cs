using CaveComm.Domain;
using CaveComm.Domain.Papers;
using CaveComm.Tests.Support;
using FsCheck.Fluent;
using Shouldly;

namespace CaveComm.Tests.Papers;

public class TaxSplitTests
{
    [Theory]
    [InlineData(119_00, 1_900, 19_00)]
    [InlineData(120_00, 1_900, 19_16)] // 19.159…
    [InlineData(100, 2_000, 17)] // 16.67
    [InlineData(1_02, 200, 2)]
    [InlineData(3, 10_000, 2)] // 1.5, half up
    [InlineData(120_00, 0, 0)]
    [InlineData(0, 1_900, 0)]
    public void The_tax_in_a_gross_sum_is_rounded_half_up(long gross, int rate, long tax)
    {
        var split = TaxSplit.Of(Some.Euro(gross), rate);
        split.Tax.ShouldBe(Some.Euro(tax));
        (split.Net + split.Tax).ShouldBe(Some.Euro(gross));
    }

    [Fact]
    public void Net_and_tax_are_the_gross_sum_and_nothing_is_off_by_more_than_half_a_minor_unit() => Rule.Holds(
        Gen.Zip(Gen.Choose(0, int.MaxValue), Gen.Choose(0, 5_000)),
        it =>
        {
            var (gross, rate) = it;
            var split = TaxSplit.Of(Some.Euro(gross), rate);
            (split.Net.Minor + split.Tax.Minor).ShouldBe(gross);
            var exact = (decimal)gross * rate / (10_000 + rate);
            (split.Tax.Minor - exact).ShouldBeInRange(-0.5m, 0.5m);
        });

    [Fact]
    public void The_largest_sum_that_there_can_be_is_split_too() =>
        TaxSplit.Of(new Money(long.MaxValue, "EUR"), 5_000).Tax.Minor.ShouldBe(long.MaxValue / 3);
}
