using System.Diagnostics.Metrics;

namespace CaveComm.Api.Payments;

/// <summary>How many webhooks came, and what became of them.</summary>
internal static class WebhookMetrics
{
    public const string MeterName = "CaveComm.Webhooks";

    private static readonly Meter Meter = new(MeterName);

    private static readonly Counter<long> Accepted = Meter.CreateCounter<long>(
        "cavecomm.webhooks.accepted", description: "Webhooks that were signed rightly and answered with 200, repeats too.");

    private static readonly Counter<long> Refused = Meter.CreateCounter<long>(
        "cavecomm.webhooks.refused", description: "Webhooks that were not believed, or too large; nothing of them was stored.");

    public static void Accept(string provider, bool isNew) => Accepted.Add(1, new("provider", provider), new("repeat", !isNew));

    /// <param name="reason"><c>unsigned</c>, <c>wrong-signature</c>, <c>stale</c> or <c>too-large</c>.</param>
    public static void Refuse(string provider, string reason) => Refused.Add(1, new("provider", provider), new("reason", reason));
}
