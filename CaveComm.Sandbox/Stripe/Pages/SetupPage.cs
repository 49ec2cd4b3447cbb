using CaveComm.Sandbox.Stripe.Resources;
using Microsoft.AspNetCore.Http;

namespace CaveComm.Sandbox.Stripe.Pages;

/// <summary>Where a freelancer gives name and bank; here one button does it.</summary>
internal static class SetupPage
{
    public static Task Show(HttpContext http, StripeWorld world, string account, string secret)
    {
        var link = world.Transact(null, null, unit => AccountLinks.Find(unit, secret));
        http.Response.ContentType = "text/html; charset=utf-8";
        if (link is null || (string?)link["account"] != account)
        {
            http.Response.StatusCode = StatusCodes.Status404NotFound;
            return http.Response.WriteAsync(
                Html.Page("Link used up", "<h1>This link is used up</h1><p>Go back and ask for a new one.</p>"), http.RequestAborted);
        }

        return http.Response.WriteAsync(
            Html.Page("Set up payouts", $"""
                <h1>Set up payouts</h1>
                <p>Account <code>{Html.Text(account)}</code></p>
                <form method="post"><div class="actions"><button class="main" name="action" value="complete">Give name and bank</button></div></form>
                """),
            http.RequestAborted);
    }

    public static async Task Act(HttpContext http, StripeWorld world, string account, string secret)
    {
        var link = world.Transact(null, null, unit =>
        {
            if (AccountLinks.Find(unit, secret) is not { } found || (string?)found["account"] != account)
            {
                return null;
            }

            AccountLinks.Use(unit, secret);
            Accounts.Onboard(unit, account);
            return found;
        });
        if (link is null)
        {
            await Show(http, world, account, secret);
            return;
        }

        http.Response.StatusCode = StatusCodes.Status303SeeOther;
        http.Response.Headers.Location = (string)link["return_url"]!;
    }
}
