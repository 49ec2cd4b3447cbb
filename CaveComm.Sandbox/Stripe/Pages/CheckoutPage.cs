using System.Text.Json.Nodes;
using CaveComm.Sandbox.Http;
using CaveComm.Sandbox.Stripe.Resources;
using CaveComm.Sandbox.Stripe.Wire;
using Microsoft.AspNetCore.Http;

namespace CaveComm.Sandbox.Stripe.Pages;

/// <summary>The hosted checkout page. Its buttons play the payer, the payer's bank, and time.</summary>
internal static class CheckoutPage
{
    private static readonly (PageButton Button, string? Mode)[] Actions =
    [
        (new("pay", "Pay", IsMain: true), null),
        (new("pay-slowly", "Pay by a transfer that takes its time"), "payment"),
        (new("pay-slowly-in-vain", "Pay by a transfer that fails"), "payment"),
        (new("decline", "Let the card be declined"), null),
        (new("expire", "Let it expire"), null),
        (new("leave", "Go back without paying"), null),
    ];

    public static async Task Show(HttpContext http, StripeWorld world, string id)
    {
        var (session, lines) = world.Transact(null, null, unit => unit.Find(CheckoutSessions.Kind, id) is { } found
            ? (found, CheckoutSessions.LineItems(unit, found).ToArray())
            : (null, []));
        await (session is null ? http.NoLonger("No such checkout", "This link is not, or no longer, valid.") : http.Response.Html(Page(session, lines)));
    }

    public static async Task Act(HttpContext http, StripeWorld world, string id)
    {
        if (await http.ReadAct(it => it == "dispute" || Actions.Any(row => row.Button.Action == it)) is not var (action, fields))
        {
            return;
        }

        var email = fields["email"].ToString() is { Length: > 0 } given && given.Contains('@', StringComparison.Ordinal) ? given : null;
        var shown = world.Transact(null, null, unit =>
        {
            if (unit.Find(CheckoutSessions.Kind, id) is not { } session)
            {
                return null;
            }

            Play(unit, session, action, email);
            return unit.Render(unit.Find(CheckoutSessions.Kind, id)!);
        });
        if (shown is null)
        {
            await Show(http, world, id);
            return;
        }

        await http.Done(shown, Target(shown, action) ?? $"/checkout/{id}");
    }

    /// <summary>A session that is at its end stays as it is, so a second click does nothing.</summary>
    private static void Play(StripeUnit unit, JsonObject session, string action, string? email)
    {
        if (action == "dispute")
        {
            if ((string?)session["payment_intent"] is { } intent
                && unit.Newest("charge", it => (string?)it["payment_intent"] == intent && (string?)it["status"] == "succeeded") is { } charge)
            {
                Disputes.Open(unit, charge);
            }

            return;
        }

        if (!CheckoutStates.IsOpen(session))
        {
            return;
        }

        var isPayment = (string?)session["mode"] == "payment";
        switch (action)
        {
            case "pay":
                CheckoutStates.Pay(unit, session, email);
                break;
            case "pay-slowly" or "pay-slowly-in-vain" when isPayment:
                CheckoutStates.PaySlowly(unit, session, email, fails: action == "pay-slowly-in-vain");
                break;
            case "decline":
                CheckoutStates.Decline(unit, session);
                break;
            case "expire":
                CheckoutStates.Expire(unit, session);
                break;
        }
    }

    private static string? Target(JsonObject session, string action) => ((string?)session["status"], action) switch
    {
        ("complete", not "dispute") => ((string)session["success_url"]!).Replace("{CHECKOUT_SESSION_ID}", (string)session["id"]!, StringComparison.Ordinal),
        (_, "leave") => (string?)session["cancel_url"],
        _ => null,
    };

    private static string Page(JsonObject session, IReadOnlyList<JsonObject> lines)
    {
        var currency = (string?)session["currency"] ?? "eur";
        var mode = (string)session["mode"]!;
        var rows = string.Concat(lines.Select(line => $"""
            <tr><td>{Html.Text(line["quantity"])} × {Html.Text(line["description"])}</td><td class="money">{Html.Text(Currency.Show((long)line["amount_total"]!, currency))}</td></tr>
            """));
        IEnumerable<PageButton> buttons = CheckoutStates.IsOpen(session)
            ? Actions.Where(it => it.Mode is null || it.Mode == mode).Select(it => it.Button)
            : session["payment_intent"] is not null ? [new PageButton("dispute", "Dispute the charge")] : [];
        var total = mode == "setup" ? "Save a card" : Currency.Show((long)session["amount_total"]!, currency);
        return Html.Page("Checkout", $"""
            <h1>Checkout</h1>
            <p class="amount">{Html.Text(total)}</p>
            <p>Status: <strong>{Html.Text(session["status"])}</strong>, {Html.Text(session["payment_status"])}.</p>
            <div class="scroll"><table><thead><tr><th scope="col">What</th><th scope="col">Amount</th></tr></thead><tbody>{rows}</tbody></table></div>
            {PageForm.Of(buttons)}
            """);
    }
}
