using CaveComm.Sandbox.Stripe.Wire;

namespace CaveComm.Sandbox.Stripe.Resources;

/// <summary>What has happened, for those who missed the webhooks. Kept for 30 days there, and as long as the sandbox lives here.</summary>
internal static class Events
{
    private const int MostTypes = 20;

    public static void Map(StripeRoutes routes)
    {
        routes.Get("/v1/events/{id}", "", call => call.Render(call.Unit.Get("event", call.Id)));
        routes.List("/v1/events", "created{gt gte lt lte} type types[] delivery_success", call =>
        {
            var given = call.Parameters;
            var types = given.Texts("types");
            if (types.Count > MostTypes)
            {
                throw StripeFault.Parameter("types", $"There can be up to {MostTypes} types.");
            }

            if (given.Has("type") && types.Count > 0)
            {
                throw StripeFault.Early("parameters_exclusive", "You may only give one of these parameters: type, types.", "types");
            }

            var type = given.Text("type");
            var delivered = given.Flag("delivery_success");
            IReadOnlySet<string> waiting = delivered is null ? new HashSet<string>() : call.Unit.World.Webhooks.Undelivered();
            return Lists.Answer(call, "/v1/events", "event", it =>
                (type is null || Fits((string)it["type"]!, type))
                && (types.Count == 0 || types.Any(wanted => Fits((string)it["type"]!, wanted)))
                && (delivered is null || delivered == !waiting.Contains((string)it["id"]!)));
        });
    }

    /// <summary>A type, or all of a family: <c>invoice.*</c>.</summary>
    private static bool Fits(string type, string wanted) =>
        wanted.EndsWith('*') ? type.StartsWith(wanted[..^1], StringComparison.Ordinal) : type == wanted;
}
