using System.Text.Json.Nodes;
using CaveComm.Sandbox.Stripe.Wire;

namespace CaveComm.Sandbox.Stripe.Resources;

internal static class PaymentIntents
{
    private const string Kind = "payment_intent";
    private const string Descriptive = "description metadata* receipt_email statement_descriptor_suffix transfer_group";

    public static void Map(StripeRoutes routes)
    {
        routes.Post(
            "/v1/payment_intents",
            Descriptive + " amount currency customer automatic_payment_methods{enabled allow_redirects} payment_method payment_method_types[] "
            + "confirm off_session return_url setup_future_usage",
            Create);
        routes.Post("/v1/payment_intents/{id}", Descriptive + " amount", Update);
        routes.Post("/v1/payment_intents/{id}/cancel", "cancellation_reason", CancelByCall);
        routes.Post("/v1/payment_intents/{id}/confirm", "payment_method off_session return_url", ConfirmByCall);
        routes.Get("/v1/payment_intents/{id}", "client_secret", call => call.Render(call.Unit.Get(Kind, call.Id, "intent")));
        routes.List("/v1/payment_intents", "created{gt gte lt lte} customer", call => Lists.Answer(
            call, "/v1/payment_intents", Kind, Lists.Equal(call.Parameters, "customer")));
    }

    /// <param name="invoice">The invoice that it pays; the intent itself doesn't show it.</param>
    public static JsonObject Make(
        StripeUnit unit, long amount, string currency, string? customer, string? description, IReadOnlyList<string> methods, string? invoice = null)
    {
        var intent = unit.New(Kind, "pi");
        foreach (var field in new[]
        {
            "application", "application_fee_amount", "automatic_payment_methods", "canceled_at", "cancellation_reason", "customer_account",
            "excluded_payment_method_types", "last_payment_error", "latest_charge", "managed_payments", "next_action", "on_behalf_of",
            "payment_method", "payment_method_configuration_details", "processing", "receipt_email", "review", "setup_future_usage",
            "shipping", "source", "statement_descriptor", "statement_descriptor_suffix", "transfer_data", "transfer_group",
        })
        {
            intent[field] = null;
        }

        intent["amount"] = amount;
        intent["amount_capturable"] = 0L;
        intent["amount_details"] = new JsonObject { ["tip"] = new JsonObject() };
        intent["amount_received"] = 0L;
        intent["capture_method"] = "automatic";
        intent["client_secret"] = $"{intent["id"]}_secret_{StripeUnit.NewSecret(25)}";
        intent["confirmation_method"] = "automatic";
        intent["currency"] = currency;
        intent["customer"] = customer;
        intent["description"] = description;
        intent["metadata"] = new JsonObject();
        intent["payment_method_options"] = new JsonObject();
        intent["payment_method_types"] = new JsonArray([.. methods.Select(method => JsonValue.Create(method))]);
        intent["status"] = "requires_payment_method";
        intent["_invoice"] = invoice;
        return intent;
    }

    /// <summary>The money arrives.</summary>
    /// <param name="received">What arrives, where it is not what was asked.</param>
    /// <returns>The charge.</returns>
    public static JsonObject Succeed(StripeUnit unit, JsonObject intent, JsonObject method, long? received = null)
    {
        var amount = received ?? (long)intent["amount"]!;
        var charge = Charges.Succeeded(unit, intent, method, amount);
        StripeUnit.Change(
            intent,
            ("amount_received", amount),
            ("last_payment_error", null),
            ("latest_charge", (string)charge["id"]!),
            ("next_action", null),
            ("payment_method", (string)method["id"]!),
            ("status", "succeeded"));
        unit.Put(intent);
        unit.Tell("payment_intent.succeeded", intent);
        unit.Tell("charge.succeeded", charge);
        if ((string?)intent["_invoice"] is { } invoice)
        {
            InvoiceStates.MoneyArrived(unit, invoice, intent);
        }

        if ((string?)method["_behaviour"] == PaymentMethods.IsDisputed)
        {
            Disputes.Open(unit, charge);
        }

        return charge;
    }

    /// <summary>An attempt fails; another may follow.</summary>
    public static JsonObject Fail(StripeUnit unit, JsonObject intent, JsonObject method)
    {
        var charge = Charges.Failed(unit, intent, method, "generic_decline");
        StripeUnit.Change(
            intent,
            ("latest_charge", (string)charge["id"]!),
            ("last_payment_error", new JsonObject
            {
                ["charge"] = (string)charge["id"]!,
                ["code"] = "card_declined",
                ["decline_code"] = "generic_decline",
                ["doc_url"] = "https://stripe.com/docs/error-codes/card-declined",
                ["message"] = "Your card was declined.",
                ["payment_method"] = unit.Render(method),
                ["type"] = "card_error",
            }),
            ("payment_method", null),
            ("status", "requires_payment_method"));
        unit.Put(intent);
        unit.Tell("payment_intent.payment_failed", intent);
        unit.Tell("charge.failed", charge);
        if ((string?)intent["_invoice"] is { } invoice)
        {
            InvoiceStates.AttemptFailed(unit, invoice);
        }

        return charge;
    }

    public static void Cancel(StripeUnit unit, JsonObject intent, string? reason)
    {
        StripeUnit.Change(intent, ("status", "canceled"), ("canceled_at", unit.Now), ("cancellation_reason", reason), ("next_action", null));
        unit.Put(intent);
        unit.Tell("payment_intent.canceled", intent);
    }

    /// <summary>Tries a card.</summary>
    /// <exception cref="StripeFault">402: it was declined, or (off session) wants its holder. The attempt stays recorded.</exception>
    public static void Confirm(StripeUnit unit, JsonObject intent, JsonObject method, bool offSession)
    {
        switch ((string?)method["_behaviour"])
        {
            case PaymentMethods.Declines or PaymentMethods.DeclinesLater:
                var charge = Fail(unit, intent, method);
                throw new StripeFault(402, "card_error", "card_declined", "Your card was declined.")
                {
                    KeepsChanges = true,
                    DeclineCode = "generic_decline",
                    Charge = (string)charge["id"]!,
                    PaymentIntent = unit.Render(intent),
                };

            case PaymentMethods.AsksForAuthentication:
                StripeUnit.Change(
                    intent,
                    ("payment_method", (string)method["id"]!),
                    ("status", "requires_action"),
                    ("next_action", new JsonObject { ["type"] = "use_stripe_sdk", ["use_stripe_sdk"] = new JsonObject() }));
                unit.Put(intent);
                unit.Tell("payment_intent.requires_action", intent);
                if (offSession)
                {
                    throw new StripeFault(402, "card_error", "authentication_required", "The card's holder must authenticate this payment.")
                    {
                        KeepsChanges = true,
                        DeclineCode = "authentication_required",
                        PaymentIntent = unit.Render(intent),
                    };
                }

                break;

            default:
                Succeed(unit, intent, method);
                break;
        }
    }

    private static JsonObject Create(StripeCall call)
    {
        var given = call.Parameters;
        var amount = given.RequiredInteger("amount");
        given.Required("currency");
        var currency = Currency.Read(given, "currency")!;
        if (amount < Currency.Least(currency))
        {
            throw StripeFault.State("amount_too_small", $"Amount must be at least {Currency.Show(Currency.Least(currency), currency)}.", "amount");
        }

        var customer = given.Text("customer");
        if (customer is not null)
        {
            Customers.Refer(call.Unit, customer);
        }

        var methods = given.Texts("payment_method_types");
        var automatic = given.Below("automatic_payment_methods").Flag("enabled") ?? methods.Count == 0;
        var intent = Make(call.Unit, amount, currency, customer, null, methods.Count == 0 ? ["card"] : methods);
        intent["automatic_payment_methods"] = automatic ? new JsonObject { ["allow_redirects"] = "always", ["enabled"] = true } : null;
        intent["setup_future_usage"] = given.Choice("setup_future_usage", "off_session", "on_session");
        Describe(given, intent);
        call.Unit.Put(intent);
        call.Unit.Tell("payment_intent.created", intent);
        if (given.Text("payment_method") is { } id)
        {
            var method = PaymentMethods.Refer(call.Unit, id, customer, "payment_method");
            StripeUnit.Change(intent, ("payment_method", (string)method["id"]!), ("status", "requires_confirmation"));
            call.Unit.Put(intent);
            if (given.Flag("confirm") is true)
            {
                Confirm(call.Unit, intent, method, given.Flag("off_session") ?? false);
            }
        }
        else if (given.Flag("confirm") is true)
        {
            throw StripeFault.Missing("payment_method");
        }

        return call.Render(intent);
    }

    private static JsonObject Update(StripeCall call)
    {
        var intent = call.Unit.Get(Kind, call.Id, "intent");
        if (call.Parameters.Integer("amount") is { } amount && amount != (long)intent["amount"]!)
        {
            Require(call.Unit, intent, "requires_payment_method", "requires_confirmation", "requires_action");
            intent["amount"] = amount;
        }

        Describe(call.Parameters, intent);
        call.Unit.Put(intent);
        return call.Render(intent);
    }

    private static JsonObject ConfirmByCall(StripeCall call)
    {
        var intent = call.Unit.Get(Kind, call.Id, "intent");
        Require(call.Unit, intent, "requires_payment_method", "requires_confirmation", "requires_action");
        var id = call.Parameters.Text("payment_method") ?? (string?)intent["payment_method"] ?? throw StripeFault.Missing("payment_method");
        var method = PaymentMethods.Refer(call.Unit, id, (string?)intent["customer"], "payment_method");
        Confirm(call.Unit, intent, method, call.Parameters.Flag("off_session") ?? false);
        return call.Render(intent);
    }

    private static JsonObject CancelByCall(StripeCall call)
    {
        var intent = call.Unit.Get(Kind, call.Id, "intent");
        var reason = call.Parameters.Choice("cancellation_reason", "abandoned", "duplicate", "fraudulent", "requested_by_customer");
        Require(call.Unit, intent, "requires_payment_method", "requires_confirmation", "requires_action", "requires_capture", "processing");
        Cancel(call.Unit, intent, reason);
        return call.Render(intent);
    }

    private static void Require(StripeUnit unit, JsonObject intent, params string[] statuses)
    {
        if (!statuses.Contains((string)intent["status"]!))
        {
            throw new StripeFault(
                400,
                "invalid_request_error",
                "payment_intent_unexpected_state",
                $"This PaymentIntent has the status {intent["status"]}; the call needs one of: {string.Join(", ", statuses)}.")
            {
                PaymentIntent = unit.Render(intent),
            };
        }
    }

    private static void Describe(StripeParameters given, JsonObject intent)
    {
        given.Copy(intent, "description", "receipt_email", "statement_descriptor_suffix", "transfer_group");

        intent["metadata"] = given.Metadata(intent["metadata"]!.AsObject());
    }
}
