using System.Text.Json.Nodes;
using CaveComm.Sandbox.Stripe.Wire;

namespace CaveComm.Sandbox.Stripe.Resources;

/// <summary>The connected accounts of freelancers.</summary>
internal static class Accounts
{
    private const string Kind = "account";

    private const string Fields =
        "email business_type capabilities{transfers{requested} card_payments{requested}} metadata* "
        + "settings{payouts{schedule{interval} statement_descriptor}} business_profile{name url product_description mcc support_email} default_currency";

    private static readonly string[] ToProvide = ["external_account", "individual.first_name", "individual.last_name", "tos_acceptance.date"];

    public static void Map(StripeRoutes routes)
    {
        routes.Post(
            "/v1/accounts",
            Fields + " type country controller{fees{payer} losses{payments} stripe_dashboard{type} requirement_collection}",
            Create);
        routes.Post("/v1/accounts/{id}", Fields, Update);
        routes.Get("/v1/accounts/{id}", "", call => call.Render(call.Unit.For(null).Get(Kind, call.Id)));
        routes.Get("/v1/account", "", call => call.Unit.Account is { } id
            ? call.Render(call.Unit.For(null).Get(Kind, id))
            : call.Render(Platform(call.Unit)));
        routes.Post("/v1/accounts/{id}/login_links", "", call => new JsonObject
        {
            ["object"] = "login_link",
            ["created"] = call.Unit.Now,
            ["url"] = new Uri(call.Unit.World.BaseUrl, "/").AbsoluteUri + "?account=" + call.Unit.Get(Kind, call.Id)["id"],
        });
    }

    /// <summary>An account that can be paid out to, of a given id; one that is there already stays as it is.</summary>
    public static void Seed(StripeUnit unit, string id, string? email, string country, string currency)
    {
        if (unit.Find(Kind, id) is not null)
        {
            return;
        }

        var account = New(unit, id, "express", country, currency);
        account["email"] = email;
        MakeReady(account);
        unit.Put(account);
    }

    /// <summary>Onboarding is done: nothing is asked for any more, and money can flow.</summary>
    public static void Onboard(StripeUnit unit, string id)
    {
        if (unit.Find(Kind, id) is not { } account || (bool)account["details_submitted"]!)
        {
            return;
        }

        var previous = new JsonObject
        {
            ["capabilities"] = account["capabilities"]!.DeepClone(),
            ["details_submitted"] = false,
            ["payouts_enabled"] = false,
        };
        MakeReady(account);
        unit.Put(account);
        unit.For(id).Tell("account.updated", account, previous);
    }

    /// <summary>The account that a transfer goes to.</summary>
    public static JsonObject Destination(StripeUnit unit, string id) =>
        unit.Find(Kind, id) ?? throw StripeFault.NoSuch("destination", id, "destination", inUrl: false);

    private static JsonObject Create(StripeCall call)
    {
        var given = call.Parameters;
        var type = given.Choice("type", "custom", "express", "standard");
        if (type is not null && given.Has("controller"))
        {
            throw StripeFault.Early("parameters_exclusive", "You may only give one of these parameters: type, controller.", "controller");
        }

        var country = given.Text("country") ?? "DE";
        var account = New(call.Unit, null, type ?? "none", country, given.Text("default_currency") ?? "eur");
        Fill(given, account);
        call.Unit.Put(account);
        call.Unit.For((string)account["id"]!).Tell("account.updated", account, []);
        return call.Render(account);
    }

    private static JsonObject Update(StripeCall call)
    {
        var account = call.Unit.Get(Kind, call.Id);
        var before = call.Render(account);
        Fill(call.Parameters, account);
        call.Unit.Put(account);
        var previous = new JsonObject();
        foreach (var (field, value) in before.Where(it => !JsonNode.DeepEquals(it.Value, account[it.Key])))
        {
            previous[field] = value?.DeepClone();
        }

        call.Unit.For(call.Id).Tell("account.updated", account, previous);
        return call.Render(account);
    }

    private static void Fill(StripeParameters given, JsonObject account)
    {
        given.Copy(account, "email", "business_type", "default_currency");

        foreach (var capability in new[] { "transfers", "card_payments" })
        {
            if (given.Below("capabilities").Below(capability).Flag("requested") is true && account["capabilities"]![capability] is null)
            {
                account["capabilities"]![capability] = (bool)account["details_submitted"]! ? "active" : "inactive";
            }
        }

        var payouts = given.Below("settings").Below("payouts");
        if (payouts.Below("schedule").Choice("interval", "manual", "daily", "weekly", "monthly") is { } interval)
        {
            account["settings"]!["payouts"]!["schedule"]!["interval"] = interval;
        }

        account["metadata"] = given.Metadata(account["metadata"]!.AsObject());
    }

    private static void MakeReady(JsonObject account)
    {
        account["capabilities"]!["transfers"] = "active";
        account["charges_enabled"] = account["capabilities"]!["card_payments"] is not null;
        if (account["capabilities"]!["card_payments"] is not null)
        {
            account["capabilities"]!["card_payments"] = "active";
        }

        account["details_submitted"] = true;
        account["payouts_enabled"] = true;
        account["requirements"] = Requirements([]);
    }

    private static JsonObject New(StripeUnit unit, string? id, string type, string country, string currency)
    {
        var account = unit.New(Kind, "acct", id);
        account["business_profile"] = null;
        account["business_type"] = "individual";
        account["capabilities"] = new JsonObject();
        account["charges_enabled"] = false;
        account["country"] = country;
        account["default_currency"] = currency;
        account["details_submitted"] = false;
        account["email"] = null;
        account["external_accounts"] = Lists.Of($"/v1/accounts/{account["id"]}/external_accounts", []);
        account["metadata"] = new JsonObject();
        account["payouts_enabled"] = false;
        account["requirements"] = Requirements(ToProvide);
        account["settings"] = new JsonObject
        {
            ["branding"] = Nothing("icon", "logo", "primary_color", "secondary_color"),
            ["card_payments"] =
                Nothing("statement_descriptor_prefix", "statement_descriptor_prefix_kana", "statement_descriptor_prefix_kanji"),
            ["dashboard"] = Nothing("display_name", "timezone"),
            ["payments"] = Nothing(
                "statement_descriptor", "statement_descriptor_kana", "statement_descriptor_kanji", "statement_descriptor_prefix_kana",
                "statement_descriptor_prefix_kanji"),
            ["payouts"] = new JsonObject
            {
                ["debit_negative_balances"] = false,
                ["schedule"] = new JsonObject { ["delay_days"] = 7, ["interval"] = "daily" },
                ["statement_descriptor"] = null,
            },
        };
        account["type"] = type;
        account["_bank"] = StripeUnit.NewId("ba");
        account.Remove("livemode");
        return account;
    }

    private static JsonObject Nothing(params string[] fields) => new(fields.Select(field => KeyValuePair.Create(field, (JsonNode?)null)));

    private static JsonObject Requirements(string[] due)
    {
        JsonArray Names() => [.. due.Select(name => JsonValue.Create(name))];
        return new JsonObject
        {
            ["alternatives"] = new JsonArray(),
            ["current_deadline"] = null,
            ["currently_due"] = Names(),
            ["disabled_reason"] = due.Length == 0 ? null : "requirements.past_due",
            ["errors"] = new JsonArray(),
            ["eventually_due"] = Names(),
            ["past_due"] = Names(),
            ["pending_verification"] = new JsonArray(),
        };
    }

    /// <summary>The account that owns the key.</summary>
    private static JsonObject Platform(StripeUnit unit)
    {
        const string Id = "acct_1Platform";
        var platform = unit.Find(Kind, Id) ?? New(unit, Id, "standard", "DE", "eur");
        MakeReady(platform);
        platform["charges_enabled"] = true;
        return platform;
    }
}
