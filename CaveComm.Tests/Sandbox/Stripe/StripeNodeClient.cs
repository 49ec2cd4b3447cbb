using CaveComm.Tests.Support;

namespace CaveComm.Tests.Sandbox.Stripe;

/// <summary>Stripe's own client.</summary>
public sealed class StripeNodeClient() : NodeFolder("the real Stripe client", "node/", "client.mjs", "scenarios.mjs", "plans.mjs")
{
    /// <returns>What the scenario said, and how it ended.</returns>
    internal Task<(int Code, string Said)?> Run(string scenario, StripeSandbox stripe) => Run("node", ["scenarios.mjs", scenario], new()
    {
        ["SANDBOX_URL"] = stripe.Http.BaseAddress!.AbsoluteUri,
        ["SANDBOX_KEY"] = StripeSandbox.Key,
    });
}
