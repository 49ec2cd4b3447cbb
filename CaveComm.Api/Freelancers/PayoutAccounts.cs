using CaveComm.Api.Http;
using CaveComm.Api.Http.Idempotency;
using CaveComm.Api.Identity;
using CaveComm.Api.Payouts;
using CaveComm.Domain;
using CaveComm.Domain.Freelancers;
using CaveComm.Domain.Identity;
using CaveComm.Domain.Payments;

namespace CaveComm.Api.Freelancers;

/// <param name="Country">Where the freelancer's bank is: two letters. Left out, the provider takes the country of this installation.</param>
public sealed record PayoutAccountBody(string? Country) : IChecked
{
    public void Check(Faults faults)
    {
        ArgumentNullException.ThrowIfNull(faults);
        faults.Require(string.IsNullOrWhiteSpace(Country) || (Country.Trim() is { Length: 2 } letters && letters.All(char.IsAsciiLetter)), "country", "Two letters, such as DE.");
    }
}

/// <param name="Url">A page at the provider, good for one visit within minutes.</param>
public sealed record PayoutAccountOffer(string Provider, string Account, Uri Url, DateTimeOffset? ExpiresAt);

/// <summary>A freelancer without an account at the provider gets one from there, and is sent to the provider's own pages to say who they are.</summary>
internal static class PayoutAccounts
{
    private const string MadeAnew = "A link works once, so a repeat makes a new one; the account is made once.";

    public static void Map(IEndpointRouteBuilder shop)
    {
        shop.MapPost("/payoutAccounts/{provider}", Open).WithName("OpenPayoutAccount").RequireScope(Scope.Account).RequireRecentSignIn(ManageShop.PayoutsOf).KeepsNoAnswer(MadeAnew).TakesBody<PayoutAccountBody>()
            .Produces<PayoutAccountOffer>(StatusCodes.Status201Created);
        shop.MapGet("/payoutAccounts/{provider}/returned", Returned).WithName("ReturnFromPayoutAccount").RequireScope(Scope.Account).ExcludeFromDescription();
    }

    /// <summary>A browser follows a form's answer only to places that the form's page allows: the provider's pages are one.</summary>
    public static RouteGroupBuilder LeadsToPayoutAccounts(this RouteGroupBuilder shop) => shop.AddEndpointFilterFactory((context, next) =>
    {
        var provider = context.ApplicationServices.GetRequiredService<IConfiguration>()["Stripe:ApiBase"];
        var lookalike = Uri.TryCreate(provider, UriKind.Absolute, out var url) && url.IsLoopback ? $" {url.GetLeftPart(UriPartial.Authority)}" : "";
        var policy = SecurityHeaders.ContentPolicy.Replace("form-action 'self'", $"form-action 'self' https://connect.stripe.com{lookalike}", StringComparison.Ordinal);
        return invocation =>
        {
            invocation.HttpContext.Response.Headers.ContentSecurityPolicy = policy;
            return next(invocation);
        };
    });

    private static async Task<IResult> Open(
        string freelancer, string provider, HttpContext http, FreelancerHandling handling, IPaymentProviders providers, Links links, CancellationToken cancel)
    {
        var reading = await http.ReadBody<PayoutAccountBody>(cancel);
        var shop = await handling.Find(freelancer, cancel);
        if (!reading.IsValid(out var body, out var problem))
        {
            return http.AnswersForm() && reading.Faults is { } faults ? ManageShop.ShopPageOf(shop, provider, reading.Entered, faults) : problem;
        }

        if (providers.Find(provider) is not IPayoutAccounts accounts)
        {
            return new Refusal(RefusalKind.Missing, "no-such-provider", "Accounts are made by stripe, where it is configured.").ToProblem();
        }

        try
        {
            var opened = shop.PayoutAccounts.GetValueOrDefault(provider)?.Id
                ?? await accounts.OpenAccount(new PayoutAccountOrder(freelancer, shop.Email, Tidied(body.Country)), cancel);
            var handled = await handling.Handle(freelancer, new FreelancerCommand.OpenPayoutAccount(provider, opened), cancel);
            if (handled.Decision.Refusal is { } refusal)
            {
                return refusal.ToProblem();
            }

            var account = handled.After.PayoutAccounts[provider].Id;
            var back = links.To($"freelancer/{freelancer}/payoutAccounts/{provider}/returned");
            var link = await accounts.LinkTo(account, back, back, cancel);
            return http.AnswersForm()
                ? new SeeOther(link.Url.AbsoluteUri)
                : TypedResults.Created($"/freelancer/{freelancer}/profile", new PayoutAccountOffer(provider, account, link.Url, link.ExpiresAt));
        }
        catch (GatewayRefusedException refused)
        {
            return http.AnswersForm()
                ? ManageShop.ShopPageOf(shop, provider, reading.Entered, new Faults().Add("country", refused.Message))
                : new Refusal(RefusalKind.Invalid, "payout-account-refused", refused.Message).ToProblem();
        }
    }

    // Coming back says nothing about success: the provider is asked. The shop's page then shows what is known; the answer may be a moment behind.
    private static async Task<IResult> Returned(string freelancer, string provider, HttpContext http, FreelancerHandling handling, IMessageBus bus, CancellationToken cancel)
    {
        if ((await handling.Find(freelancer, cancel)).PayoutAccounts.GetValueOrDefault(provider) is { } account)
        {
            await bus.PublishAsync(new CheckPayoutAccount(provider, account.Id));
        }

        return new SeeOther($"/freelancer/{freelancer}/templates#payouts");
    }

    private static string? Tidied(string? country) => string.IsNullOrWhiteSpace(country) ? null : country.Trim().ToUpperInvariant();
}
