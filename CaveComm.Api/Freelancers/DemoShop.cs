using CaveComm.Api.Identity;
using CaveComm.Domain.Freelancers;
using CaveComm.Domain.Payments;

namespace CaveComm.Api.Freelancers;

/// <summary>A demo freelancer is open for commissions and has payout destinations at both providers.</summary>
internal sealed class DemoShop(FreelancerHandling handling) : IDemoSetup
{
    /// <summary>The connected account that the Stripe look-alike has for a demo freelancer.</summary>
    public static string StripeAccount(string handle) => $"acct_demo{handle}";

    public async Task Prepare(string handle, CancellationToken cancel)
    {
        var shop = await handling.Find(handle, cancel);

        // Only what was never set: people go on working in a sandbox, and a restart must not undo what they did.
        if (shop is { IsOpen: false, Publications.IsEmpty: true })
        {
            await handling.Handle(handle, new FreelancerCommand.Open(), cancel);
        }

        await SetDestination(shop, handle, PaymentProviders.Stripe, StripeAccount(handle), cancel);
        await SetDestination(shop, handle, PaymentProviders.BtcPay, $"{handle}@wallet.example", cancel);
    }

    private async Task SetDestination(Freelancer shop, string handle, string provider, string destination, CancellationToken cancel)
    {
        if (!shop.PayoutDestinations.ContainsKey(provider))
        {
            await handling.Handle(handle, new FreelancerCommand.SetPayoutDestination(provider, destination, ByHand: false), cancel);
        }
    }
}
