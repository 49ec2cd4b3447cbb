using System.Text.Json.Nodes;
using CaveComm.Sandbox.Stripe.Wire;

namespace CaveComm.Sandbox.Stripe.Resources;

/// <summary>Links to the page where a freelancer would answer Stripe's questions. Each works once, for five minutes.</summary>
internal static class AccountLinks
{
    private const string Kept = "stripe.account_link";
    private const long LastsSeconds = 300;

    public static void Map(StripeRoutes routes) => routes.Post(
        "/v1/account_links",
        "account type refresh_url return_url collect collection_options{fields future_requirements}",
        Create);

    /// <summary>A link that was given out for the account, whether it still works or not.</summary>
    public static JsonObject? Find(StripeUnit unit, string account, string secret) =>
        unit.Work.Find(Kept, secret) is { } link && (string?)link["account"] == account ? link : null;

    public static bool Works(StripeUnit unit, JsonObject link) => link["used"] is null && (long)link["expires_at"]! > unit.Now;

    public static void Use(StripeUnit unit, string secret)
    {
        var link = unit.Work.Find(Kept, secret)!;
        link["used"] = true;
        unit.Work.Put(Kept, secret, link);
    }

    private static JsonObject Create(StripeCall call)
    {
        var given = call.Parameters;
        var account = call.Unit.Refer("account", given.Required("account"), "account");
        given.Required("type");
        given.Choice("type", "account_onboarding", "account_update");
        var secret = StripeUnit.NewSecret();
        call.Unit.Work.Put(Kept, secret, new JsonObject
        {
            ["secret"] = secret,
            ["account"] = (string)account["id"]!,
            ["expires_at"] = call.Unit.Now + LastsSeconds,
            ["refresh_url"] = given.Required("refresh_url"),
            ["return_url"] = given.Required("return_url"),
        });
        return new JsonObject
        {
            ["object"] = "account_link",
            ["created"] = call.Unit.Now,
            ["expires_at"] = call.Unit.Now + LastsSeconds,
            ["url"] = new Uri(call.Unit.World.BaseUrl, $"/setup/{account["id"]}/{secret}").AbsoluteUri,
        };
    }
}
