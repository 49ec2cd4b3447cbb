using System.Text.Json.Nodes;
using CaveComm.Sandbox.Stripe.Wire;

namespace CaveComm.Sandbox.Stripe.Resources;

/// <summary>Cards. The test names of the real API (<c>pm_card_visa</c> and so on) make one that behaves as the name says.</summary>
internal static class PaymentMethods
{
    public const string Works = "works";
    public const string Declines = "declines";
    public const string AsksForAuthentication = "authentication";
    public const string IsDisputed = "disputed";
    public const string RefundFails = "refund fails";
    public const string RefundIsPending = "refund pending";

    /// <summary>Can be attached to a customer, and declines every charge after that.</summary>
    public const string DeclinesLater = "declines later";

    private const string Kind = "payment_method";

    private static readonly Dictionary<string, (string Behaviour, string Brand, string Last4)> Test = new(StringComparer.Ordinal)
    {
        ["pm_card_visa"] = (Works, "visa", "4242"),
        ["pm_card_mastercard"] = (Works, "mastercard", "4444"),
        ["pm_card_chargeDeclined"] = (Declines, "visa", "0002"),
        ["pm_card_authenticationRequired"] = (AsksForAuthentication, "visa", "3155"),
        ["pm_card_refundFail"] = (RefundFails, "visa", "5126"),
        ["pm_card_pendingRefund"] = (RefundIsPending, "visa", "7726"),
        ["pm_card_chargeCustomerFail"] = (DeclinesLater, "visa", "0341"),
        ["pm_card_createDispute"] = (IsDisputed, "visa", "0259"),
    };

    public static void Map(StripeRoutes routes)
    {
        routes.Get("/v1/payment_methods/{id}", "", call => call.Render(call.Unit.Get(Kind, call.Id)));
        routes.Post("/v1/payment_methods/{id}/attach", "customer", Attach);
        routes.Post("/v1/payment_methods/{id}/detach", "", Detach);
        routes.List("/v1/payment_methods", "customer type", call =>
        {
            var (customer, type) = (Lists.Equal(call.Parameters, "customer"), Lists.Equal(call.Parameters, "type"));
            return Lists.Answer(call, "/v1/payment_methods", Kind, it => it["customer"] is not null && customer(it) && type(it));
        });
        routes.List("/v1/customers/{id}/payment_methods", "type", call =>
        {
            var customer = (string)call.Unit.Get("customer", call.Id)["id"]!;
            var type = Lists.Equal(call.Parameters, "type");
            return Lists.Answer(
                call, $"/v1/customers/{customer}/payment_methods", Kind, it => (string?)it["customer"] == customer && type(it));
        });
    }

    /// <summary>The card that a parameter names, made at first sight of a test name.</summary>
    public static JsonObject Refer(StripeUnit unit, string id, string? customer, string parameter) =>
        Test.TryGetValue(id, out var card) ? New(unit, customer, card.Behaviour, card.Brand, card.Last4)
        : unit.Find(Kind, id) ?? throw StripeFault.NoSuch("PaymentMethod", id, parameter, inUrl: false);

    public static JsonObject New(StripeUnit unit, string? customer, string behaviour, string brand = "visa", string last4 = "4242")
    {
        var method = unit.New(Kind, "pm");
        method["allow_redisplay"] = "unspecified";
        method["billing_details"] = Charges.BillingDetails(unit, customer);
        method["card"] = new JsonObject
        {
            ["brand"] = brand,
            ["checks"] = new JsonObject { ["address_line1_check"] = null, ["address_postal_code_check"] = null, ["cvc_check"] = "pass" },
            ["country"] = "DE",
            ["display_brand"] = brand,
            ["exp_month"] = 12,
            ["exp_year"] = DateTimeOffset.FromUnixTimeSeconds(unit.Now).Year + 3,
            ["fingerprint"] = StripeUnit.NewSecret(16),
            ["funding"] = "credit",
            ["generated_from"] = null,
            ["last4"] = last4,
            ["networks"] = new JsonObject { ["available"] = new JsonArray(brand), ["preferred"] = null },
            ["regulated_status"] = "unregulated",
            ["three_d_secure_usage"] = new JsonObject { ["supported"] = true },
            ["wallet"] = null,
        };
        method["customer"] = customer;
        method["customer_account"] = null;
        method["metadata"] = new JsonObject();
        method["type"] = "card";
        method["_behaviour"] = behaviour;
        unit.Put(method);
        return method;
    }

    private static JsonObject Attach(StripeCall call)
    {
        var customer = (string)Customers.Refer(call.Unit, call.Parameters.Required("customer"))["id"]!;
        var method = Refer(call.Unit, call.Id, customer, "payment_method");
        if ((string?)method["_behaviour"] == Declines)
        {
            throw new StripeFault(402, "card_error", "card_declined", "Your card was declined.") { DeclineCode = "generic_decline" };
        }

        method["customer"] = customer;
        call.Unit.Put(method);
        call.Unit.Tell("payment_method.attached", method);
        return call.Render(method);
    }

    private static JsonObject Detach(StripeCall call)
    {
        var method = call.Unit.Get(Kind, call.Id);
        var previous = StripeUnit.Change(method, ("customer", null));
        call.Unit.Put(method);
        call.Unit.Tell("payment_method.detached", method, previous);
        return call.Render(method);
    }
}
