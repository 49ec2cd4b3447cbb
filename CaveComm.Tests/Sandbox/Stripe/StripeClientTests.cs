using Shouldly;

namespace CaveComm.Tests.Sandbox.Stripe;

/// <summary>Stripe's own client against the look-alike: whatever it can't read, our gateway could not either at the real one.</summary>
/// <remarks>What a scenario does and asks for stands in <c>Node/scenarios.mjs</c> and <c>Node/plans.mjs</c>.</remarks>
public sealed class StripeClientTests(StripeNodeClient client) : IClassFixture<StripeNodeClient>
{
    [Theory]
    [InlineData("invoiceToRefund")]
    [InlineData("eventPages")]
    [InlineData("errorsAndKeys")]
    [InlineData("connect")]
    [InlineData("dispute")]
    [InlineData("subscription")]
    [InlineData("planChange")]
    [InlineData("checkout")]
    [InlineData("portal")]
    public async Task The_real_client_is_at_home_here(string scenario)
    {
        Assert.SkipWhen(client.Missing is not null, client.Missing ?? "");
        await using var stripe = await StripeSandbox.Start(options => options with { RefundTakes = TimeSpan.FromMilliseconds(40), DisputeTakes = TimeSpan.FromMilliseconds(40) });
        var (code, said) = (await client.Run(scenario, stripe))!.Value;
        code.ShouldBe(0, said);
    }
}
