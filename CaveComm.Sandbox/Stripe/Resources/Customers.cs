using System.Text.Json.Nodes;
using CaveComm.Sandbox.Stripe.Wire;

namespace CaveComm.Sandbox.Stripe.Resources;

internal static class Customers
{
    private const string Kind = "customer";

    private const string Fields =
        "email name description phone metadata* preferred_locales[] address{city country line1 line2 postal_code state} "
        + "invoice_settings{default_payment_method footer} tax_exempt";

    public static void Map(StripeRoutes routes)
    {
        routes.Post("/v1/customers", Fields, Create);
        routes.Post("/v1/customers/{id}", Fields, Update);
        routes.Get("/v1/customers/{id}", "", call => call.Render(call.Unit.Get(Kind, call.Id)));
        routes.Delete("/v1/customers/{id}", Delete);
        routes.List("/v1/customers", "email created{gt gte lt lte}", call => Lists.Answer(
            call,
            "/v1/customers",
            Kind,
            Lists.Equal(call.Parameters, "email") is var email ? it => email(it) && it["deleted"] is null : _ => true));
    }

    /// <summary>The customer that a parameter names; a deleted one is as good as none.</summary>
    public static JsonObject Refer(StripeUnit unit, string id, string parameter = "customer") =>
        unit.Refer(Kind, id, parameter) is var customer && customer["deleted"] is null
            ? customer
            : throw StripeFault.NoSuch(Kind, id, parameter, inUrl: false);

    /// <summary>The number of the customer's next invoice; each has its own series.</summary>
    public static string NextInvoiceNumber(StripeUnit unit, string id)
    {
        if (unit.Find(Kind, id) is not { } customer || customer["deleted"] is not null)
        {
            return $"{StripeUnit.NewSecret(8).ToUpperInvariant()}-0001";
        }

        var sequence = (long)customer["next_invoice_sequence"]!;
        customer["next_invoice_sequence"] = sequence + 1;
        unit.Put(customer);
        return $"{customer["invoice_prefix"]}-{sequence:D4}";
    }

    /// <summary>A customer who comes into being at a checkout.</summary>
    public static JsonObject Make(StripeUnit unit, string email)
    {
        var customer = New(unit);
        customer["email"] = email;
        unit.Put(customer);
        unit.Tell("customer.created", customer);
        return customer;
    }

    private static JsonObject Create(StripeCall call)
    {
        var customer = New(call.Unit);
        Fill(call, customer);
        call.Unit.Put(customer);
        call.Unit.Tell("customer.created", customer);
        return call.Render(customer);
    }

    private static JsonObject New(StripeUnit unit)
    {
        var customer = unit.New(Kind, "cus");
        foreach (var (field, value) in new (string, JsonNode?)[]
        {
            ("address", null),
            ("balance", 0L),
            ("currency", null),
            ("customer_account", null),
            ("default_source", null),
            ("delinquent", false),
            ("description", null),
            ("discount", null),
            ("email", null),
            ("invoice_prefix", StripeUnit.NewSecret(8).ToUpperInvariant()),
            ("invoice_settings", new JsonObject
            {
                ["custom_fields"] = null,
                ["default_payment_method"] = null,
                ["footer"] = null,
                ["rendering_options"] = null,
            }),
            ("metadata", new JsonObject()),
            ("name", null),
            ("next_invoice_sequence", 1L),
            ("phone", null),
            ("preferred_locales", new JsonArray()),
            ("shipping", null),
            ("tax_exempt", "none"),
            ("test_clock", null),
        })
        {
            customer[field] = value;
        }

        return customer;
    }

    private static JsonObject Update(StripeCall call)
    {
        var customer = call.Unit.Get(Kind, call.Id);
        if (customer["deleted"] is not null)
        {
            throw StripeFault.NoSuch(Kind, call.Id, "id", inUrl: true);
        }

        var before = customer.DeepClone().AsObject();
        Fill(call, customer);
        var previous = new JsonObject();
        foreach (var (field, value) in before)
        {
            if (!JsonNode.DeepEquals(value, customer[field]))
            {
                previous[field] = value?.DeepClone();
            }
        }

        call.Unit.Put(customer);
        if (previous.Count > 0)
        {
            call.Unit.Tell("customer.updated", customer, previous);
        }

        return call.Render(customer);
    }

    private static void Fill(StripeCall call, JsonObject customer)
    {
        var given = call.Parameters;
        given.Copy(customer, "email", "name", "description", "phone");

        // Stripe refuses addresses that cannot be one, and nothing that could break out of a mail's header may get in.
        if ((string?)customer["email"] is { } email
            && (!email.Contains('@', StringComparison.Ordinal) || email.Any(c => char.IsWhiteSpace(c) || char.IsControl(c))))
        {
            throw StripeFault.Early("email_invalid", $"Invalid email address: {email}", "email");
        }

        if (given.Has("preferred_locales"))
        {
            customer["preferred_locales"] = new JsonArray([.. given.Texts("preferred_locales").Select(locale => JsonValue.Create(locale))]);
        }

        if (given.Choice("tax_exempt", "exempt", "none", "reverse") is { } exempt)
        {
            customer["tax_exempt"] = exempt;
        }

        if (given.Has("address"))
        {
            var address = given.Below("address");
            customer["address"] = given.Unsets("address") ? null : new JsonObject
            {
                ["city"] = address.Text("city"),
                ["country"] = address.Text("country"),
                ["line1"] = address.Text("line1"),
                ["line2"] = address.Text("line2"),
                ["postal_code"] = address.Text("postal_code"),
                ["state"] = address.Text("state"),
            };
        }

        var settings = given.Below("invoice_settings");
        if (settings.Has("default_payment_method"))
        {
            customer["invoice_settings"]!["default_payment_method"] = settings.Text("default_payment_method") is { } method
                ? (string)PaymentMethods.Refer(call.Unit, method, (string)customer["id"]!, settings.Name("default_payment_method"))["id"]!
                : null;
        }

        if (settings.Has("footer"))
        {
            customer["invoice_settings"]!["footer"] = settings.Text("footer");
        }

        customer["metadata"] = given.Metadata(customer["metadata"]!.AsObject());
    }

    private static JsonObject Delete(StripeCall call)
    {
        var customer = call.Unit.Get(Kind, call.Id);
        if (customer["deleted"] is not null)
        {
            throw StripeFault.NoSuch(Kind, call.Id, "id", inUrl: true);
        }

        call.Unit.Tell("customer.deleted", customer);
        var stone = new JsonObject
        {
            ["id"] = call.Id,
            ["object"] = Kind,
            ["deleted"] = true,
            ["_n"] = (long)customer["_n"]!,
            ["_account"] = call.Unit.Account,
        };
        call.Unit.Put(stone);
        return call.Render(stone);
    }
}
