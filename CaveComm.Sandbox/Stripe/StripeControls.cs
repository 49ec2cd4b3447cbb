using System.Text.Json.Nodes;

namespace CaveComm.Sandbox.Stripe;

/// <summary>What a test can do to the API; remembered across restarts. The webhooks' switches are the queue's.</summary>
/// <param name="TimeoutEvery">Every n-th call does its work and answers nobody; 0 is never.</param>
/// <param name="ErrorEvery">Every n-th call does its work and answers 500, as when an edge server fails; 0 is never.</param>
/// <param name="ErrorsStored">Such a 500 is also what the idempotency key replays; else the key replays the true answer.</param>
/// <param name="DelayMilliseconds">How long each call takes; its idempotency key is in use meanwhile.</param>
/// <param name="FailPayouts">New payouts end as failed: the bank account is closed.</param>
internal sealed record StripeControls(
    int TimeoutEvery = 0,
    int ErrorEvery = 0,
    bool ErrorsStored = false,
    int DelayMilliseconds = 0,
    bool FailPayouts = false)
{
    public JsonObject ToDocument() => new()
    {
        ["timeoutEvery"] = TimeoutEvery,
        ["errorEvery"] = ErrorEvery,
        ["errorsStored"] = ErrorsStored,
        ["delayMilliseconds"] = DelayMilliseconds,
        ["failPayouts"] = FailPayouts,
    };

    public static StripeControls FromDocument(JsonObject? document) => document is null
        ? new StripeControls()
        : new StripeControls(
            (int)document["timeoutEvery"]!,
            (int)document["errorEvery"]!,
            (bool)document["errorsStored"]!,
            (int)document["delayMilliseconds"]!,
            (bool)document["failPayouts"]!);
}
