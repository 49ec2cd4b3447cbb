using System.Text.Json.Nodes;
using CaveComm.Sandbox.Stripe.Wire;

namespace CaveComm.Sandbox.Stripe.Resources;

/// <summary>A card saved without a payment; here only a checkout session makes one.</summary>
internal static class SetupIntents
{
    private const string Kind = "setup_intent";

    public static void Map(StripeRoutes routes) =>
        routes.Get("/v1/setup_intents/{id}", "client_secret", call => call.Render(call.Unit.Get(Kind, call.Id, "intent")));

    public static JsonObject Succeeded(StripeUnit unit, JsonObject session, JsonObject card)
    {
        var data = session["_setup_data"]!;
        var intent = unit.New(Kind, "seti");
        foreach (var field in new[]
        {
            "application", "automatic_payment_methods", "cancellation_reason", "excluded_payment_method_types", "last_setup_error", "latest_attempt",
            "mandate", "on_behalf_of", "payment_method_configuration_details", "single_use_mandate",
        })
        {
            intent[field] = null;
        }

        intent["client_secret"] = $"{intent["id"]}_secret_{StripeUnit.NewSecret(25)}";
        intent["customer"] = (string?)session["customer"];
        intent["description"] = (string?)data["description"];
        intent["metadata"] = data["metadata"]!.DeepClone();
        intent["payment_method"] = (string)card["id"]!;
        intent["payment_method_types"] = new JsonArray("card");
        intent["status"] = "succeeded";
        intent["usage"] = "off_session";
        unit.Put(intent);
        unit.Tell("setup_intent.succeeded", intent);
        return intent;
    }
}
