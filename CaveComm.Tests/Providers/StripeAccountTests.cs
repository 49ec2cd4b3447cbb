using CaveComm.Domain.Payments;
using Shouldly;

namespace CaveComm.Tests.Providers;

public sealed class StripeAccountTests
{
    private static readonly PayoutAccountOrder Order = new("mira", "mira@cavecomm.example", "DE");
    private static readonly Uri Back = new("https://cave.example/freelancer/mira/payoutAccounts/stripe/returned");
    private static readonly CancellationToken Cancel = TestContext.Current.CancellationToken;

    private readonly ScriptedProvider provider = new();

    [Fact]
    public async Task An_account_is_asked_for_with_its_freelancer_and_pays_out_at_our_word_only()
    {
        provider.On("POST /v1/accounts", """{"id":"acct_1","object":"account"}""");

        (await Gateways.Stripe(provider).OpenAccount(Order, Cancel)).ShouldBe("acct_1");

        var asked = provider.To("POST /v1/accounts")[0];
        asked.Key.ShouldNotBeNull().ShouldStartWith("freelancer:mira/payout-account/");
        asked.Form.ShouldBe(
        [
            "type=express", "country=DE", "email=mira@cavecomm.example", "business_type=individual", "capabilities[transfers][requested]=true",
            "settings[payouts][schedule][interval]=manual", "metadata[freelancer_id]=mira",
        ]);
    }

    [Fact]
    public async Task The_same_order_bears_the_same_key_and_another_one_another()
    {
        const string Made = """{"id":"acct_1","object":"account"}""";
        provider.On("POST /v1/accounts", Made).On("POST /v1/accounts", Made).On("POST /v1/accounts", Made);
        var stripe = Gateways.Stripe(provider);

        await stripe.OpenAccount(Order, Cancel);
        await stripe.OpenAccount(Order, Cancel);
        await stripe.OpenAccount(Order with { Email = "mira@elsewhere.example" }, Cancel);

        var keys = provider.To("POST /v1/accounts").Select(it => it.Key).ToList();
        keys[1].ShouldBe(keys[0]);
        keys[2].ShouldNotBe(keys[0]);
    }

    [Fact]
    public async Task Each_link_is_another_one()
    {
        const string Link = """{"object":"account_link","url":"https://connect.stripe.com/setup/e/acct_1/x","expires_at":1785000300}""";
        provider.On("POST /v1/account_links", Link).On("POST /v1/account_links", Link);
        var stripe = Gateways.Stripe(provider);

        var link = await stripe.LinkTo("acct_1", Back, Back, Cancel);
        await stripe.LinkTo("acct_1", Back, Back, Cancel);

        link.ShouldBe(new PayoutAccountLink(new Uri("https://connect.stripe.com/setup/e/acct_1/x"), DateTimeOffset.FromUnixTimeSeconds(1785000300)));
        var asked = provider.To("POST /v1/account_links");
        asked[0].Form.ShouldBe(["account=acct_1", "type=account_onboarding", $"refresh_url={Back}", $"return_url={Back}"]);
        asked[1].Key.ShouldNotBe(asked[0].Key);
    }

    [Theory]
    [InlineData(true, "active", true)]
    [InlineData(true, "pending", false)]
    [InlineData(false, "active", false)]
    public async Task An_account_is_ready_when_money_can_go_there_and_on_to_the_bank(bool paysOut, string transfers, bool ready)
    {
        provider.On(
            "GET /v1/accounts/acct_1",
            $$$"""{"id":"acct_1","details_submitted":true,"payouts_enabled":{{{(paysOut ? "true" : "false")}}},"capabilities":{"transfers":"{{{transfers}}}"},"requirements":{"disabled_reason":null},"metadata":{"freelancer_id":"mira"}}""");

        (await Gateways.Stripe(provider).FetchAccount("acct_1", Cancel)).ShouldBe(new PayoutAccountSnapshot("acct_1", "mira", ready, null));
    }

    [Fact]
    public async Task The_look_alike_makes_accounts_as_they_are_asked_for()
    {
        await using var bench = await StripeBench.Open();
        var stripe = bench.Gateway.ShouldBeAssignableTo<IPayoutAccounts>()!;

        var account = await stripe.OpenAccount(Order, Cancel);
        (await stripe.OpenAccount(Order, Cancel)).ShouldBe(account, "the key finds the first");
        (await stripe.FetchAccount(account, Cancel)).ShouldNotBeNull().IsReady.ShouldBeFalse();
        await Give((await stripe.LinkTo(account, Back, Back, Cancel)).Url);

        (await stripe.FetchAccount(account, Cancel)).ShouldBe(new PayoutAccountSnapshot(account, "mira", true, null));
        (await stripe.FetchAccount("acct_nobodys", Cancel)).ShouldBeNull();
    }

    private static async Task Give(Uri link)
    {
        using var browser = new HttpClient(new SocketsHttpHandler { AllowAutoRedirect = false });
        using var form = new FormUrlEncodedContent([new("action", "complete")]);
        using var answer = await browser.PostAsync(link, form, Cancel);
        answer.Headers.Location.ShouldBe(Back);
    }
}
