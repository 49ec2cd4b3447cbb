using System.Text.Json.Nodes;
using CaveComm.Sandbox.Stripe.Wire;

namespace CaveComm.Sandbox.Stripe.Resources;

/// <summary>Links to the page where a customer looks after subscriptions and cards. One needs a configuration first, as at the real one.</summary>
internal static class BillingPortal
{
    public const string Session = "billing_portal.session";

    private const string Configuration = "billing_portal.configuration";

    private const string Fields =
        "business_profile{headline privacy_policy_url terms_of_service_url} default_return_url features{customer_update{allowed_updates[] enabled} "
        + "invoice_history{enabled} payment_method_update{enabled} subscription_cancel{enabled mode proration_behavior}} metadata* name";

    public static void Map(StripeRoutes routes)
    {
        routes.Post("/v1/billing_portal/configurations", Fields, Create);
        routes.Post("/v1/billing_portal/configurations/{id}", Fields + " active", Update);
        routes.Get("/v1/billing_portal/configurations/{id}", "", call => call.Render(call.Unit.Get(Configuration, call.Id, "configuration")));
        routes.List("/v1/billing_portal/configurations", "active is_default", call =>
        {
            var (active, first) = (call.Parameters.Flag("active"), call.Parameters.Flag("is_default"));
            return Lists.Answer(call, "/v1/billing_portal/configurations", Configuration, it =>
                (active is null || (bool)it["active"]! == active) && (first is null || (bool)it["is_default"]! == first));
        });
        routes.Post(
            "/v1/billing_portal/sessions",
            "customer return_url configuration locale flow_data{type subscription_cancel{subscription} subscription_update{subscription} "
            + "after_completion{type redirect{return_url}}}",
            Open);
    }

    /// <summary>Whether a cancellation on the page is at once; else it is at the end of the period.</summary>
    public static bool CancelsAtOnce(StripeUnit unit, JsonObject session) =>
        (string?)unit.Find(Configuration, (string)session["configuration"]!)?["features"]?["subscription_cancel"]?["mode"] == "immediately";

    private static JsonObject Create(StripeCall call)
    {
        var (unit, given) = (call.Unit, call.Parameters);
        if (!given.Has("features"))
        {
            throw StripeFault.Missing("features");
        }

        var configuration = unit.New(Configuration, "bpc");
        configuration["active"] = true;
        configuration["application"] = null;
        configuration["business_profile"] = new JsonObject { ["headline"] = null, ["privacy_policy_url"] = null, ["terms_of_service_url"] = null };
        configuration["default_return_url"] = null;
        configuration["features"] = Features();
        configuration["is_default"] = unit.Newest(Configuration, it => (bool)it["is_default"]!) is null;
        configuration["login_page"] = new JsonObject { ["enabled"] = false, ["url"] = null };
        configuration["metadata"] = new JsonObject();
        configuration["name"] = null;
        Fill(unit, given, configuration);
        unit.Put(configuration);
        unit.Tell("billing_portal.configuration.created", configuration);
        return call.Render(configuration);
    }

    private static JsonObject Update(StripeCall call)
    {
        var configuration = call.Unit.Get(Configuration, call.Id, "configuration");
        var before = configuration.DeepClone().AsObject();
        configuration["active"] = call.Parameters.Flag("active") ?? (bool)configuration["active"]!;
        Fill(call.Unit, call.Parameters, configuration);
        call.Unit.Put(configuration);
        call.Unit.Tell("billing_portal.configuration.updated", configuration, StripeUnit.Differences(before, configuration));
        return call.Render(configuration);
    }

    private static void Fill(StripeUnit unit, StripeParameters given, JsonObject configuration)
    {
        given.Copy(configuration, "default_return_url", "name");
        given.Below("business_profile").Copy(
            configuration["business_profile"]!.AsObject(), "headline", "privacy_policy_url", "terms_of_service_url");
        var features = given.Below("features");
        foreach (var feature in new[] { "customer_update", "invoice_history", "payment_method_update", "subscription_cancel" })
        {
            if (features.Below(feature).Flag("enabled") is { } enabled)
            {
                configuration["features"]![feature]!["enabled"] = enabled;
            }
        }

        if (features.Below("customer_update").Texts("allowed_updates") is { Count: > 0 } updates)
        {
            configuration["features"]!["customer_update"]!["allowed_updates"] = new JsonArray([.. updates.Select(it => JsonValue.Create(it))]);
        }

        var cancel = configuration["features"]!["subscription_cancel"]!;
        cancel["mode"] = features.Below("subscription_cancel").Choice("mode", "at_period_end", "immediately") ?? (string)cancel["mode"]!;
        cancel["proration_behavior"] =
            features.Below("subscription_cancel").Choice("proration_behavior", "always_invoice", "create_prorations", "none") ?? (string)cancel["proration_behavior"]!;
        configuration["metadata"] = given.Metadata(configuration["metadata"]!.AsObject());
        configuration["updated"] = unit.Now;
    }

    private static JsonObject Features() => new()
    {
        ["customer_update"] = new JsonObject { ["allowed_updates"] = new JsonArray(), ["enabled"] = false },
        ["invoice_history"] = new JsonObject { ["enabled"] = false },
        ["payment_method_update"] = new JsonObject { ["enabled"] = false, ["payment_method_configuration"] = null },
        ["subscription_cancel"] = new JsonObject
        {
            ["cancellation_reason"] = new JsonObject { ["enabled"] = false, ["options"] = new JsonArray() },
            ["enabled"] = false,
            ["mode"] = "at_period_end",
            ["proration_behavior"] = "none",
        },
        ["subscription_update"] = new JsonObject
        {
            ["billing_cycle_anchor"] = null,
            ["default_allowed_updates"] = new JsonArray(),
            ["enabled"] = false,
            ["proration_behavior"] = "none",
            ["schedule_at_period_end"] = new JsonObject { ["conditions"] = new JsonArray() },
            ["trial_update_behavior"] = "end_trial",
        },
    };

    private static JsonObject Open(StripeCall call)
    {
        var (unit, given) = (call.Unit, call.Parameters);
        var customer = Customers.Refer(unit, given.Required("customer"));
        var configuration = given.Text("configuration") is { } named
            ? unit.Refer(Configuration, named, "configuration")
            : unit.Newest(Configuration, it => (bool)it["is_default"]! && (bool)it["active"]!) ?? throw StripeFault.State(
                null, "You can't create a portal session until you save your customer portal settings, or make a configuration over the API.");
        var secret = StripeUnit.NewSecret(40);
        var session = unit.New(Session, "bps");
        session["configuration"] = (string)configuration["id"]!;
        session["customer"] = (string)customer["id"]!;
        session["customer_account"] = null;
        session["flow"] = Flow(given.Below("flow_data"));
        session["locale"] = given.Text("locale");
        session["on_behalf_of"] = null;
        session["return_url"] = given.Text("return_url") ?? (string?)configuration["default_return_url"];
        session["url"] = new Uri(unit.World.BaseUrl, $"/portal/{session["id"]}-{secret}").AbsoluteUri;
        session["_secret"] = secret;
        unit.Put(session);
        return call.Render(session);
    }

    private static JsonObject? Flow(StripeParameters given)
    {
        if (given.Choice("type", "payment_method_update", "subscription_cancel", "subscription_update") is not { } type)
        {
            return null;
        }

        JsonObject? About(string name) =>
            type == name ? new JsonObject { ["subscription"] = given.Below(name).Required("subscription") } : null;
        var cancel = About("subscription_cancel");
        if (cancel is not null)
        {
            cancel["retention"] = null;
        }

        return new JsonObject
        {
            ["after_completion"] = new JsonObject { ["hosted_confirmation"] = null, ["redirect"] = null, ["type"] = "portal_homepage" },
            ["subscription_cancel"] = cancel,
            ["subscription_update"] = About("subscription_update"),
            ["subscription_update_confirm"] = null,
            ["type"] = type,
        };
    }
}
