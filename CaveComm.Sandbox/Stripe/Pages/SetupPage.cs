using System.Text.Json.Nodes;
using CaveComm.Sandbox.Http;
using CaveComm.Sandbox.Stripe.Resources;
using Microsoft.AspNetCore.Http;

namespace CaveComm.Sandbox.Stripe.Pages;

/// <summary>Where a freelancer gives name and bank; here one button does it. As at Stripe, a link that no longer works leads to where it was asked for.</summary>
internal static class SetupPage
{
    public static Task Show(HttpContext http, StripeWorld world, string account, string secret)
    {
        var (link, works) = world.Transact(null, null, unit => AccountLinks.Find(unit, account, secret) is { } it ? (it, AccountLinks.Works(unit, it)) : default);
        if (link is null || !works)
        {
            return Gone(http, link);
        }

        return http.Response.Html(Html.Page("Set up payouts", $"""
            <h1>Set up payouts</h1>
            <p>Account <code>{Html.Text(account)}</code></p>
            {PageForm.Of([new("complete", "Give name and bank", IsMain: true), new("leave", "Go back without finishing")])}
            """));
    }

    public static async Task Act(HttpContext http, StripeWorld world, string account, string secret)
    {
        if (await http.ReadAct(it => it is "complete" or "leave") is not var (action, _))
        {
            return;
        }

        var (link, works) = world.Transact(null, null, unit =>
        {
            if (AccountLinks.Find(unit, account, secret) is not { } found)
            {
                return default;
            }

            if (!AccountLinks.Works(unit, found))
            {
                return (found, false);
            }

            AccountLinks.Use(unit, secret);
            if (action == "complete")
            {
                Accounts.Onboard(unit, account);
            }

            return (found, true);
        });
        if (link is null || !works)
        {
            await Gone(http, link);
            return;
        }

        http.Response.SeeOther((string)link["return_url"]!);
    }

    private static Task Gone(HttpContext http, JsonObject? link)
    {
        if (link is null)
        {
            return http.NoLonger("This link is used up", "Go back and ask for a new one.");
        }

        http.Response.SeeOther((string)link["refresh_url"]!);
        return Task.CompletedTask;
    }
}
