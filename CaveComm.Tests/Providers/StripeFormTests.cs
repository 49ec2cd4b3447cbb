using CaveComm.Domain;
using CaveComm.Providers.Stripe;
using Shouldly;

namespace CaveComm.Tests.Providers;

public sealed class StripeFormTests
{
    private static readonly string[] Expanded = ["payments"];

    [Fact]
    public void Nested_forms_lists_flags_and_times_are_encoded_as_stripe_wants_them() =>
        new StripeForm
        {
            ["metadata"] = new StripeForm { ["commission_id"] = "42" },
            ["items"] = new[] { new StripeForm { ["price"] = "price_1", ["quantity"] = 1 } },
            ["expand"] = Expanded,
            ["auto_advance"] = false,
            ["created"] = new StripeForm { ["gte"] = DateTimeOffset.FromUnixTimeSeconds(1785000000) },
            ["amount"] = 4500L,
        }.Flatten().ShouldBe(
        [
            ("metadata[commission_id]", "42"), ("items[0][price]", "price_1"), ("items[0][quantity]", "1"), ("expand[0]", "payments"),
            ("auto_advance", "false"), ("created[gte]", "1785000000"), ("amount", "4500"),
        ]);

    [Fact]
    public void Null_leaves_a_parameter_out_and_an_empty_text_does_not() =>
        new StripeForm { ["name"] = null, ["default_payment_method"] = "" }.Encode().ShouldBe("default_payment_method=");

    [Fact]
    public void Customers_words_cannot_add_a_parameter() =>
        SentRequest.Pairs(new StripeForm { ["description"] = "Cave & co=1 +2 % ü\n&amount=1" }.Encode())
            .ShouldBe(["description=Cave & co=1 +2 % ü\n&amount=1"]);

    [Theory]
    [InlineData(4500, "EUR", 4500)]
    [InlineData(500, "JPY", 500)]
    [InlineData(500, "ISK", 50_000)]
    [InlineData(500, "UGX", 50_000)]
    [InlineData(500, "MGA", 5)]
    [InlineData(1230, "KWD", 1230)]
    public void Money_is_told_in_stripes_own_units_and_read_back_the_same(long minor, string currency, long stripe)
    {
        StripeMoney.ToStripe(new Money(minor, currency)).ShouldBe(stripe);
        StripeMoney.FromStripe(stripe, StripeMoney.Code(new Money(minor, currency))).ShouldBe(new Money(minor, currency));
    }

    [Theory]
    [InlineData(1, "BTC")]
    [InlineData(1234, "KWD")]
    [InlineData(501, "MGA")]
    public void Money_that_stripe_cannot_express_is_not_rounded(long minor, string currency) =>
        StripeMoney.ToStripe(new Money(minor, currency)).ShouldBeNull();
}
