using System.Text.Json.Nodes;
using CaveComm.Sandbox.Http;
using CaveComm.Sandbox.Stripe.Resources;
using CaveComm.Sandbox.Stripe.Wire;
using Microsoft.AspNetCore.Http;

namespace CaveComm.Sandbox.Stripe.Pages;

/// <summary>The customer portal: subscriptions to cancel or keep, and another card.</summary>
internal static class PortalPage
{
    private static readonly string[] Actions = ["cancel", "keep", "new-card", "failing-card"];

    public static async Task Show(HttpContext http, StripeWorld world, string page)
    {
        var (session, subscriptions) = world.Transact(null, null, unit => Find(unit, page) is { } found
            ? (found, unit.All("subscription", it => (string?)it["customer"] == (string?)found["customer"]))
            : (null, []));
        await (session is null ? http.NoLonger("This link is used up", "Go back and ask for a new one.") : http.Response.Html(Page(session, subscriptions)));
    }

    public static async Task Act(HttpContext http, StripeWorld world, string page)
    {
        if (await http.ReadAct(it => Actions.Contains(it)) is not var (action, fields))
        {
            return;
        }

        var session = world.Transact(null, null, unit =>
        {
            if (Find(unit, page) is not { } found)
            {
                return null;
            }

            Play(unit, found, action, fields["subscription"].ToString());
            return found;
        });
        if (session is null)
        {
            await Show(http, world, page);
            return;
        }

        http.Response.SeeOther((string?)session["return_url"] ?? $"/portal/{page}");
    }

    private static JsonObject? Find(StripeUnit unit, string page)
    {
        var dash = page.LastIndexOf('-');
        return dash > 0 && unit.Find(BillingPortal.Session, page[..dash]) is { } session && (string?)session["_secret"] == page[(dash + 1)..]
            ? session
            : null;
    }

    private static void Play(StripeUnit unit, JsonObject session, string action, string named)
    {
        var customer = unit.Find("customer", (string)session["customer"]!)!;
        if (action is "new-card" or "failing-card")
        {
            var card = PaymentMethods.New(
                unit, (string)customer["id"]!, action == "new-card" ? PaymentMethods.Works : PaymentMethods.DeclinesLater, last4: action == "new-card" ? "4242" : "0341");
            customer["invoice_settings"]!["default_payment_method"] = (string)card["id"]!;
            unit.Put(customer);
            foreach (var subscription in unit.All("subscription", it => (string?)it["customer"] == (string?)customer["id"] && it["default_payment_method"] is not null))
            {
                var before = unit.Render(subscription);
                subscription["default_payment_method"] = (string)card["id"]!;
                unit.Put(subscription);
                SubscriptionStates.TellUpdated(unit, (string)subscription["id"]!, before);
            }

            return;
        }

        if (unit.Newest("subscription", it => (string?)it["customer"] == (string?)customer["id"]
                && (string?)it["status"] is not ("canceled" or "incomplete_expired")
                && (named.Length == 0 || (string?)it["id"] == named)) is not { } chosen)
        {
            return;
        }

        if (action == "cancel" && BillingPortal.CancelsAtOnce(unit, session))
        {
            SubscriptionStates.End(unit, chosen, "cancellation_requested");
            return;
        }

        var earlier = unit.Render(chosen);
        SubscriptionDraft.SetEnd(
            unit, StripeParameters.Parse([KeyValuePair.Create("cancel_at_period_end", action == "cancel" ? "true" : "false")]), chosen);
        unit.Put(chosen);
        SubscriptionStates.SetPeriodTimer(unit, chosen);
        SubscriptionStates.TellUpdated(unit, (string)chosen["id"]!, earlier);
    }

    private static string Page(JsonObject session, IReadOnlyList<JsonObject> subscriptions)
    {
        var rows = string.Concat(subscriptions.Select(Row));
        var back = (string?)session["return_url"] is { } url ? $"<p><a href=\"{Html.Text(url)}\">Back</a></p>" : "";
        return Html.Page("Your subscriptions", $"""
            <h1>Your subscriptions</h1>
            <div class="scroll"><table><thead><tr><th scope="col">Subscription</th><th scope="col">Status</th><th scope="col">Change</th></tr></thead><tbody>{rows}</tbody></table></div>
            {PageForm.Of([new("new-card", "Another card"), new("failing-card", "A card that will be declined")])}
            {back}
            """);
    }

    private static string Row(JsonObject subscription)
    {
        var ends = (bool)subscription["cancel_at_period_end"]!;
        var (id, status) = (Html.Text(subscription["id"]), Html.Text(subscription["status"]) + (ends ? ", ends with its period" : ""));
        var button = ends ? new PageButton("keep", "Keep") : new PageButton("cancel", "Cancel");
        return $"""
            <tr><td><code>{id}</code></td><td>{status}</td><td><form method="post"><input type="hidden" name="subscription" value="{id}">
            {button.Shown}</form></td></tr>
            """;
    }
}
