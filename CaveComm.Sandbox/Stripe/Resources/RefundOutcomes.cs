using System.Text.Json.Nodes;

namespace CaveComm.Sandbox.Stripe.Resources;

/// <summary>How refunds end that are made from now on; set by <c>_control {"refunds": …}</c> and remembered.</summary>
internal static class RefundOutcomes
{
    public const string Succeed = "succeed";

    /// <summary>Told as succeeded, and failed afterwards: the customer's card is no more.</summary>
    public const string Fail = "fail";

    /// <summary>Pending for a while, then succeeded.</summary>
    public const string Pending = "pending";

    /// <summary>Pending until the balance covers it.</summary>
    public const string Short = "short";

    /// <summary>Waits for the customer, and can be cancelled so long.</summary>
    public const string Action = "action";

    private const string Settings = "stripe.settings";
    private const string Kept = "refunds";

    private static readonly string[] All = [Succeed, Fail, Pending, Short, Action];

    public static string Read(StripeUnit unit) => (string?)unit.Work.Find(Settings, Kept)?["outcome"] ?? Succeed;

    public static void Set(StripeUnit unit, string outcome) => unit.Work.Put(Settings, Kept, new JsonObject
    {
        ["outcome"] = All.Contains(outcome) ? outcome : throw new FormatException($"refunds is one of {string.Join(", ", All)}."),
    });
}
