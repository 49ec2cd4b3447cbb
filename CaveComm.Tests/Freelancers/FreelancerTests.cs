using CaveComm.Domain;
using CaveComm.Domain.Freelancers;
using CaveComm.Domain.Payments;
using CaveComm.Projections.Freelancers;
using CaveComm.Tests.Support;
using Shouldly;
using static CaveComm.Domain.Freelancers.FreelancerCommand;
using static CaveComm.Tests.Support.GivenFreelancer;
using static CaveComm.Tests.Support.Some;

namespace CaveComm.Tests.Freelancers;

public class FreelancerTests
{
    private static readonly Register Registration = new(Shop, "Ada Lovelace", "ada@example.com");
    private static readonly PublishTemplate Publish = new(Portrait with { Version = 0 });

    [Fact]
    public void A_freelancer_registers() => Given().When(Registration).Then(Registered);

    [Fact]
    public void A_handle_is_taken_once() => Given(Registered).When(Registration).ThenRefused(RefusalKind.Conflict, "handle-taken");

    [Theory]
    [InlineData("")]
    [InlineData("ab")]
    [InlineData("Ada")]
    [InlineData("ada/..")]
    [InlineData("ada\n")]
    [InlineData("a-handle-that-is-longer-than-it-may-be")]
    [InlineData("admin")]
    public void A_handle_has_a_shape(string handle) =>
        Given().When(Registration with { Handle = handle }).ThenRefused("invalid").Fields!.Keys.ShouldBe(["handle"]);

    [Fact]
    public void Every_fault_of_a_registration_is_told_at_once() =>
        Given().When(new Register("A", " ", "nobody")).ThenRefused("invalid").Fields!.Keys.ShouldBe(["handle", "displayName", "email"], ignoreOrder: true);

    [Fact]
    public void Nothing_else_is_asked_of_a_freelancer_who_is_not_there()
    {
        FreelancerCommand[] others =
        [
            new ChangeProfile("Ada", "ada@example.com", null), Publish, new RetireTemplate("portrait"), new Open(), new Close(), new SetPayoutDestination("stripe", StripeAccount, false),
            new OpenPayoutAccount("stripe", StripeAccount), new RecordPayoutAccount("stripe", StripeAccount, IsReady: true, null),
        ];
        foreach (var command in others)
        {
            Given().When(command).ThenRefused(RefusalKind.Missing, "no-such-freelancer");
        }

        others.Select(c => c.GetType()).Concat([typeof(Register)]).ShouldBe(typeof(FreelancerCommand).GetNestedTypes(), ignoreOrder: true);
    }

    [Fact]
    public void A_profile_changes()
    {
        var change = new ChangeProfile(ProfileChanged.DisplayName, ProfileChanged.Email, ProfileChanged.About);
        Given(Registered).When(change).Then(ProfileChanged);
        Given(Registered, ProfileChanged).When(change).ThenNothing();
    }

    [Fact]
    public void Every_fault_of_a_profile_is_told_at_once() =>
        Given(Registered).When(new ChangeProfile("", "nobody", new string('x', 5_001))).ThenRefused("invalid").Fields!.Keys
            .ShouldBe(["displayName", "email", "about"], ignoreOrder: true);

    [Fact]
    public void A_template_is_published_as_its_first_version() => Given(Registered).When(Publish).Then(Published);

    [Fact]
    public void The_same_publication_twice_is_nothing()
    {
        Given(Registered, Published).When(Publish).ThenNothing();
        Given(Registered, Published).When(new PublishTemplate(StoreJson.Again(Portrait))).ThenNothing();
    }

    [Fact]
    public void A_changed_template_is_the_next_version() =>
        Given(Registered, Published).When(new PublishTemplate(Portrait with { Price = Euro(130_00) }))
            .Then(new FreelancerEvent.TemplatePublished(Portrait with { Price = Euro(130_00), Version = 2 }));

    [Fact]
    public void Versions_go_on_counting_after_a_retirement() =>
        Given(Registered, Published, Retired).When(Publish).Then(new FreelancerEvent.TemplatePublished(Portrait with { Version = 2 }));

    [Fact]
    public void Each_template_counts_for_itself() =>
        Given(Registered, Published).When(new PublishTemplate(Portrait with { Name = "mural" })).Then(new FreelancerEvent.TemplatePublished(Portrait with { Name = "mural" }));

    [Fact]
    public void A_faulty_template_is_refused_with_all_its_faults() =>
        Given(Registered).When(new PublishTemplate(Portrait with { Title = "", Providers = [], DueDays = 0 })).ThenRefused("invalid").Fields!.Keys
            .ShouldBe(["title", "providers", "dueDays"], ignoreOrder: true);

    [Fact]
    public void A_template_is_retired()
    {
        Given(Registered, Published).When(new RetireTemplate("portrait")).Then(Retired);
        State(Registered, Published, Retired).Templates.ShouldBeEmpty();
    }

    [Fact]
    public void What_is_not_on_offer_cannot_be_retired()
    {
        Given(Registered).When(new RetireTemplate("portrait")).ThenRefused(RefusalKind.Missing, "no-such-template");
        Given(Registered, Published, Retired).When(new RetireTemplate("portrait")).ThenRefused(RefusalKind.Missing, "no-such-template");
    }

    [Fact]
    public void A_shop_is_opened_and_closed()
    {
        State(Registered).IsOpen.ShouldBeFalse();
        Given(Registered).When(new Open()).Then(Opened);
        Given(Registered, Opened).When(new Open()).ThenNothing();
        Given(Registered, Opened).When(new Close()).Then(Closed);
        Given(Registered, Opened, Closed).When(new Close()).ThenNothing();
        Given(Registered).When(new Close()).ThenNothing();
    }

    [Fact]
    public void A_payout_destination_is_set_per_provider()
    {
        var set = new SetPayoutDestination(PaymentProviders.Stripe, $" {StripeAccount} ", ByHand: false);
        Given(Registered).When(set).Then(DestinationSet);
        Given(Registered, DestinationSet).When(set).ThenNothing();
        Given(Registered, DestinationSet).When(new SetPayoutDestination(PaymentProviders.BtcPay, "ada@wallet.example", ByHand: false))
            .Then(new FreelancerEvent.PayoutDestinationSet(PaymentProviders.BtcPay, "ada@wallet.example", ByHand: false));
    }

    [Fact]
    public void An_account_that_the_provider_made_becomes_the_destination()
    {
        var open = new OpenPayoutAccount(PaymentProviders.Stripe, StripeAccount);
        Given(Registered).When(open).Then(AccountOpened, DestinationSet);
        Given(Registered, DestinationSet).When(open).Then(AccountOpened);
        Given(Registered, AccountOpened, DestinationSet).When(open).ThenNothing();

        // Of two that were made in one moment the first counts.
        Given(Registered, AccountOpened, DestinationSet).When(open with { Account = "acct_another" }).ThenNothing();
        Given(Registered, AccountOpened).When(open with { Account = "acct_another" }).Then(DestinationSet);
        Given().When(open).ThenRefused(RefusalKind.Missing, "no-such-freelancer");
    }

    [Fact]
    public void Payouts_wait_while_the_provider_is_not_ready_to_pay_out_to_the_account_that_it_made()
    {
        State(Registered).PaysOutTo(PaymentProviders.Stripe).ShouldBeNull();
        State(Registered, AccountOpened, DestinationSet).PaysOutTo(PaymentProviders.Stripe).ShouldBeNull();
        State(Registered, AccountOpened, DestinationSet).UnfinishedAccount(PaymentProviders.Stripe).ShouldNotBeNull().Id.ShouldBe(StripeAccount);
        State(Registered, AccountOpened, DestinationSet, AccountReady).PaysOutTo(PaymentProviders.Stripe).ShouldNotBeNull().Address.ShouldBe(StripeAccount);
        State(Registered, AccountOpened, DestinationSet, AccountReady, AccountSuspended).PaysOutTo(PaymentProviders.Stripe).ShouldBeNull();

        // One of the freelancer's own is theirs to answer for.
        State(Registered, AccountOpened, DestinationSet, DestinationSet with { Destination = "acct_own" }).PaysOutTo(PaymentProviders.Stripe).ShouldNotBeNull().Address.ShouldBe("acct_own");
        State(Registered, AccountOpened, DestinationSet with { ByHand = true }).PaysOutTo(PaymentProviders.Stripe).ShouldNotBeNull().ByHand.ShouldBeTrue();
    }

    [Fact]
    public void How_an_account_stands_is_recorded_when_it_changes()
    {
        var (ready, suspended) = (new RecordPayoutAccount(PaymentProviders.Stripe, StripeAccount, IsReady: true, null), new RecordPayoutAccount(PaymentProviders.Stripe, StripeAccount, IsReady: false, "requirements.past_due"));
        Given(Registered, AccountOpened).When(ready).Then(AccountReady);
        Given(Registered, AccountOpened, AccountReady).When(ready).ThenNothing();
        Given(Registered, AccountOpened).When(suspended).ThenNothing();
        Given(Registered, AccountOpened, AccountReady).When(suspended).Then(AccountSuspended);
        Given(Registered, DestinationSet).When(ready).ThenNothing();
        Given(Registered, AccountOpened).When(ready with { Account = "acct_other" }).ThenNothing();
    }

    [Fact]
    public void A_payout_by_hand_needs_no_address() =>
        Given(Registered).When(new SetPayoutDestination(PaymentProviders.Stripe, null, ByHand: true))
            .Then(new FreelancerEvent.PayoutDestinationSet(PaymentProviders.Stripe, "", ByHand: true));

    [Theory]
    [InlineData("stripe", null)]
    [InlineData("stripe", "not an account")]
    [InlineData("stripe", "ada@wallet.example")]
    [InlineData("btcpay", " ")]
    [InlineData("btcpay", "ada@wallet.example bc1q")]
    public void A_destination_has_a_shape(string provider, string? destination) =>
        Given(Registered).When(new SetPayoutDestination(provider, destination, ByHand: false)).ThenRefused("invalid").Fields!.Keys.ShouldBe(["destination"]);

    [Fact]
    public void A_note_on_a_payout_by_hand_is_short() =>
        Given(Registered).When(new SetPayoutDestination(PaymentProviders.Stripe, new string('x', 201), ByHand: true)).ThenRefused("invalid");

    [Theory]
    [InlineData("paypal")]
    [InlineData("manual")]
    public void Only_providers_of_invoices_have_destinations(string provider) =>
        Given(Registered).When(new SetPayoutDestination(provider, "x", ByHand: false)).ThenRefused(RefusalKind.Missing, "no-such-provider");

    [Fact]
    public void The_shop_window_follows_the_shop_also_over_a_stay_in_the_store()
    {
        FreelancerEvent[] life = [Registered, Opened, Published, DestinationSet, ProfileChanged, new FreelancerEvent.TemplatePublished(Portrait with { Name = "mural" }), Retired, Closed];
        var windows = new ShopWindowProjection().Fold(StreamKey.Freelancer(Shop), life, StoreJson.Again);
        windows.Select(window => (window!.Handle, window.IsOpen)).ShouldBe(Enumerable.Range(1, 8).Select(n => (Shop, n is > 1 and < 8)));
        StoreJson.Write(windows[^1]!.State).ShouldBe(StoreJson.Write(State(life)));
        windows[^1]!.State.Templates.Keys.ShouldBe(["mural"]);
    }

    [Fact]
    public void What_is_no_freelancer_event_changes_no_shop_window() => new ShopWindowProjection().Fold("freelancer:ada", [Registered, Requested]).Last()!.IsOpen.ShouldBeFalse();
}
