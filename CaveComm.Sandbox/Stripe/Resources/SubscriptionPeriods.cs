using System.Text.Json.Nodes;

namespace CaveComm.Sandbox.Stripe.Resources;

/// <summary>Where the periods of a subscription end. All are counted from the anchor, so that a plan begun on the 31st ends on the 31st where it can.</summary>
internal static class SubscriptionPeriods
{
    /// <returns>The first end of a period after the given time, in Unix seconds.</returns>
    public static long Next(long anchor, long after, JsonObject recurring)
    {
        var start = DateTimeOffset.FromUnixTimeSeconds(anchor);
        var count = (int)(long)recurring["interval_count"]!;
        for (var periods = 1; ; periods++)
        {
            var end = ((string?)recurring["interval"] switch
            {
                "day" => start.AddDays(count * periods),
                "week" => start.AddDays(7 * count * periods),
                "month" => start.AddMonths(count * periods),
                _ => start.AddYears(count * periods),
            }).ToUnixTimeSeconds();
            if (end > after)
            {
                return end;
            }
        }
    }
}
