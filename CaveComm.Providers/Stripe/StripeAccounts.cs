using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using CaveComm.Domain.Payments;
using CaveComm.Providers.Http;

namespace CaveComm.Providers.Stripe;

/// <summary>Express accounts of freelancers (contracts/stripe.md §8). Stripe asks for name and bank itself; payouts are ours to order, so none goes by schedule.</summary>
internal sealed class StripeAccounts(StripeClient stripe)
{
    public async Task<string> Open(PayoutAccountOrder order, CancellationToken cancel)
    {
        var made = await stripe.Post(
            "create-account",
            "v1/accounts",
            Key(order),
            new StripeForm
            {
                ["type"] = "express",
                ["country"] = order.Country,
                ["email"] = order.Email,
                ["business_type"] = "individual",
                ["capabilities"] = new StripeForm { ["transfers"] = new StripeForm { ["requested"] = true } },
                ["settings"] = new StripeForm { ["payouts"] = new StripeForm { ["schedule"] = new StripeForm { ["interval"] = "manual" } } },
                ["metadata"] = new StripeForm { ["freelancer_id"] = order.Freelancer },
            },
            null,
            cancel);
        return made switch
        {
            { IsDone: false } => throw new GatewayRefusedException(StripeGateway.ProviderName, Discretion.Without(made.Reason, order.Email)),
            _ => made.Body.Text("id") ?? throw new GatewayUnavailableException(StripeGateway.ProviderName, "the account came back without an id."),
        };
    }

    public async Task<PayoutAccountLink> LinkTo(string account, Uri returnUrl, Uri refreshUrl, CancellationToken cancel)
    {
        // Each link works once, so no two may be the same: the key only guards the quick retries within this call.
        var made = await stripe.Post(
            "create-account-link",
            "v1/account_links",
            $"account-link/{Guid.CreateVersion7():N}",
            new StripeForm
            {
                ["account"] = account,
                ["type"] = "account_onboarding",
                ["refresh_url"] = refreshUrl.AbsoluteUri,
                ["return_url"] = returnUrl.AbsoluteUri,
            },
            null,
            cancel);
        if (!made.IsDone)
        {
            throw new GatewayRefusedException(StripeGateway.ProviderName, made.Reason);
        }

        return WebPage.Of(made.Body.Text("url")) is { } url
            ? new PayoutAccountLink(url, made.Body.Time("expires_at"))
            : throw new GatewayUnavailableException(StripeGateway.ProviderName, "the account link came back without an address.");
    }

    public async Task<PayoutAccountSnapshot?> Fetch(string account, CancellationToken cancel)
    {
        var answer = await stripe.Get("fetch-account", $"v1/accounts/{ProviderHttp.Segment(account)}", null, null, cancel);
        if (answer.IsDone)
        {
            return Snapshot(account, answer.Body);
        }

        // Stripe says by 403 that an account is not, or no longer, ours.
        return answer.IsMissing || answer.ErrorCode is "account_invalid" or "resource_missing"
            ? null
            : throw new GatewayRefusedException(StripeGateway.ProviderName, $"account {account} cannot be read ({answer.ErrorCode ?? "refused"}).");
    }

    private static PayoutAccountSnapshot Snapshot(string account, JsonElement it) => new(
        account,
        it.Text("metadata", "freelancer_id"),
        it.IsTrue("payouts_enabled") && it.Text("capabilities", "transfers") == "active",
        it.Text("requirements", "disabled_reason") ?? (it.IsTrue("details_submitted") ? null : "details_missing"));

    // What differs is another order: the same key with other words would be refused for a day.
    private static string Key(PayoutAccountOrder order) =>
        $"freelancer:{order.Freelancer}/payout-account/{Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes($"{order.Email}\n{order.Country}")))[..16]}";
}
