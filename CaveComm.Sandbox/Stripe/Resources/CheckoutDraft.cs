using System.Text.Json.Nodes;

namespace CaveComm.Sandbox.Stripe.Resources;

internal static class CheckoutDraft
{
    /// <summary>An open session with all the fields of one and nothing to buy yet.</summary>
    public static JsonObject Make(StripeUnit unit, string mode, long expires)
    {
        var id = "cs_test_a1" + StripeUnit.NewSecret(48);
        var session = unit.New(CheckoutSessions.Kind, "cs", id);
        foreach (var field in new[]
        {
            "adaptive_pricing", "after_expiration", "allow_promotion_codes", "amount_subtotal", "amount_total", "billing_address_collection",
            "cancel_url", "client_reference_id", "client_secret", "collected_information", "consent", "consent_collection", "currency",
            "currency_conversion", "customer", "customer_account", "customer_creation", "customer_details", "customer_email",
            "integration_identifier", "invoice", "invoice_creation", "locale", "managed_payments", "origin_context", "payment_intent",
            "payment_link", "payment_method_collection", "payment_method_configuration_details", "permissions", "recovered_from",
            "saved_payment_method_options", "setup_intent", "shipping_address_collection", "shipping_cost", "submit_type", "subscription",
            "success_url", "total_details", "wallet_options",
        })
        {
            session[field] = null;
        }

        session["automatic_tax"] = new JsonObject { ["enabled"] = false, ["liability"] = null, ["provider"] = null, ["status"] = null };
        session["custom_fields"] = new JsonArray();
        session["custom_text"] = new JsonObject
        {
            ["after_submit"] = null,
            ["shipping_address"] = null,
            ["submit"] = null,
            ["terms_of_service_acceptance"] = null,
        };
        session["discounts"] = new JsonArray();
        session["expires_at"] = expires;
        session["metadata"] = new JsonObject();
        session["mode"] = mode;
        session["payment_method_options"] = new JsonObject();
        session["payment_method_types"] = new JsonArray("card");
        session["payment_status"] = mode == "setup" ? "no_payment_required" : "unpaid";
        session["phone_number_collection"] = new JsonObject { ["enabled"] = false };
        session["shipping_options"] = new JsonArray();
        session["status"] = "open";
        session["ui_mode"] = "hosted_page";
        session["url"] = new Uri(unit.World.BaseUrl, $"/checkout/{id}").AbsoluteUri;
        return session;
    }
}
