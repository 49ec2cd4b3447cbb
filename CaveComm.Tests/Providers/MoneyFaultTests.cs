using CaveComm.Domain;
using CaveComm.Domain.Payments;
using Shouldly;

namespace CaveComm.Tests.Providers;

/// <summary>Money that goes back, and accounts that are opened: what refusals, errors and strange answers lead to.</summary>
public sealed class MoneyFaultTests
{
    private const string Nothing = """{"object":"list","data":[],"has_more":false}""";
    private const string Transfers = """
        {"object":"list","data":[{"id":"tr_1","amount":3600,"amount_reversed":0,"currency":"eur","destination":"acct_1Artist42","created":1785000000,"metadata":{}}],"has_more":false}
        """;

    private const string Pulls = "/api/v1/stores/9kDnZ1/pull-payments";
    private static readonly Uri Back = new("https://cave.example/back");
    private static readonly RefundOrder Refund = new("commission:42/refund/1", Gateways.Commission, 1, "pi_1", "ch_1", new Money(1000, "EUR"), new Money(1000, "EUR"));
    private static readonly ReversalOrder Reversal = new("commission:42/reversal/re_1", Gateways.Commission, "acct_1Artist42", new Money(1000, "EUR"));

    private readonly ScriptedProvider provider = new();

    public enum Act
    {
        Refund,
        Reversal,
        Account,
        Link,
        Fetch,
        Offer,
        Withdrawal,
    }

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public static TheoryData<Act, int, string> Unclear()
    {
        var cases = new TheoryData<Act, int, string>();
        foreach (var act in Enum.GetValues<Act>())
        {
            cases.Add(act, 500, "");
            cases.Add(act, 502, "<html>Bad gateway</html>");
            cases.Add(act, 200, "<html>Sign in to the hotel's network</html>");
            cases.Add(act, 404, "<html>Not here</html>");
            cases.Add(act, 429, """{"error":{"type":"rate_limit"}}""");

            // Done, perhaps; but what came of it is not said. Of an account that is asked about it says nothing new, and a withdrawal answers nothing at all.
            if (act is not (Act.Fetch or Act.Withdrawal))
            {
                cases.Add(act, 200, "{}");
                cases.Add(act, 200, "");
                cases.Add(act, 200, """["unexpected"]""");
            }
        }

        return cases;
    }

    [Theory]
    [MemberData(nameof(Unclear))]
    public async Task An_answer_that_does_not_say_what_was_done_is_asked_for_again(Act act, int status, string body)
    {
        Script(act, body, status);

        await Should.ThrowAsync<GatewayUnavailableException>(() => Do(act));
    }

    [Theory]
    [InlineData(Act.Account)]
    [InlineData(Act.Link)]
    [InlineData(Act.Fetch)]
    [InlineData(Act.Withdrawal)]
    public async Task A_definite_no_is_for_a_person(Act act)
    {
        Script(act, """{"error":{"code":"not_now","message":"No."}}""", 400);

        await Should.ThrowAsync<GatewayRefusedException>(() => Do(act));

        provider.Sent.Count(it => it.Method is "POST" or "DELETE").ShouldBeLessThanOrEqualTo(1);
    }

    [Fact]
    public async Task A_refused_refund_has_failed_and_a_refused_reversal_has_taken_nothing()
    {
        const string No = """{"error":{"code":"not_now","message":"No."}}""";
        Script(Act.Refund, No, 400);
        Script(Act.Reversal, No, 400);
        Script(Act.Offer, """{"code":"not-now","message":"No."}""", 400);

        var refund = await Gateways.Stripe(provider).RequestRefund(Refund, Cancel);
        (refund.RefundId, refund.Progress, refund.Sent.Minor).ShouldBe((null, RefundProgress.Failed, 0L));
        (await Gateways.Stripe(provider).ReversePayout(Reversal, Cancel)).ReversalId.ShouldBeNull();
        var offer = await Gateways.BtcPay(provider).RequestRefund(Refund with { Coin = new Money(10_000, "BTC") }, Cancel);
        (offer.RefundId, offer.Progress).ShouldBe((null, RefundProgress.Failed));
    }

    [Theory]
    [InlineData("""{"id":"trr_1","currency":"eur","metadata":{"reversal_key":"commission:42/reversal/re_1"}}""")]
    [InlineData("""{"id":"trr_1","amount":0,"currency":"eur","metadata":{"reversal_key":"commission:42/reversal/re_1"}}""")]
    [InlineData("""{"id":"trr_1","amount":-5,"currency":"eur","metadata":{"reversal_key":"commission:42/reversal/re_1"}}""")]
    [InlineData("""{"id":"trr_1","amount":1000,"metadata":{"reversal_key":"commission:42/reversal/re_1"}}""")]
    public async Task A_reversal_of_no_amount_is_not_noted_as_one(string reversal)
    {
        Script(Act.Reversal, reversal, 200);

        await Should.ThrowAsync<ProviderFaultException>(() => Do(Act.Reversal));
    }

    private void Script(Act act, string body, int status)
    {
        switch (act)
        {
            case Act.Refund:
                provider.On("GET /v1/refunds", Nothing).On("POST /v1/refunds", body, status);
                break;
            case Act.Reversal:
                provider.On("GET /v1/transfers", Transfers).On("POST /v1/transfers/tr_1/reversals", body, status);
                break;
            case Act.Account:
                provider.On("POST /v1/accounts", body, status);
                break;
            case Act.Link:
                provider.On("POST /v1/account_links", body, status);
                break;
            case Act.Fetch:
                provider.On("GET /v1/accounts/acct_1", body, status);
                break;
            case Act.Offer:
                provider.On($"GET {Pulls}", "[]").On($"POST {Pulls}", body, status);
                break;
            default:
                provider.On($"DELETE {Pulls}/pp_1", body, status);
                break;
        }
    }

    private Task Do(Act act) => act switch
    {
        Act.Refund => Gateways.Stripe(provider).RequestRefund(Refund, Cancel),
        Act.Reversal => Gateways.Stripe(provider).ReversePayout(Reversal, Cancel),
        Act.Account => Gateways.Stripe(provider).OpenAccount(new PayoutAccountOrder("mira", "mira@cavecomm.example", "DE"), Cancel),
        Act.Link => Gateways.Stripe(provider).LinkTo("acct_1", Back, Back, Cancel),
        Act.Fetch => Gateways.Stripe(provider).FetchAccount("acct_1", Cancel),
        Act.Offer => Gateways.BtcPay(provider).RequestRefund(Refund with { Coin = new Money(10_000, "BTC") }, Cancel),
        _ => Gateways.BtcPay(provider).WithdrawRefund("pp_1", Cancel),
    };
}
