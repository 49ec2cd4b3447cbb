using CaveComm.Domain.Freelancers;
using CaveComm.Tests.Support;
using Shouldly;
using static CaveComm.Domain.Freelancers.FreelancerCommand;
using static CaveComm.Tests.Support.GivenFreelancer;
using static CaveComm.Tests.Support.Some;

namespace CaveComm.Tests.Freelancers;

/// <summary>What stands on a freelancer's papers.</summary>
public class BillingDetailsTests
{
    private static readonly ChangeProfile Set = new(Registered.DisplayName, Registered.Email, null, new BillingChange(Billing));

    [Fact]
    public void They_are_set_with_the_profile() => Given(Registered).When(Set).Then(BillingSet);

    [Fact]
    public void The_same_again_is_nothing() => Given(Registered, BillingSet).When(Set with { Billing = new BillingChange(StoreJson.Again(Billing)) }).ThenNothing();

    [Fact]
    public void A_profile_that_does_not_name_them_leaves_them() => Given(Registered, BillingSet).When(Set with { Billing = null }).ThenNothing();

    [Fact]
    public void Both_can_change_at_once() =>
        Given(Registered).When(Set with { About = "I draw." }).Then(new FreelancerEvent.ProfileChanged(Registered.DisplayName, Registered.Email, "I draw."), BillingSet);

    [Fact]
    public void They_are_taken_back()
    {
        Given(Registered, BillingSet).When(Set with { Billing = new BillingChange(null) }).Then(new FreelancerEvent.BillingDetailsSet(null));
        State(Registered, BillingSet).OnPapers(Shop).ShouldBe(Billing);
        State(Registered, BillingSet, new FreelancerEvent.BillingDetailsSet(null)).OnPapers(Shop).LegalName.ShouldBe(Registered.DisplayName);
    }

    [Fact]
    public void Every_fault_is_told_at_once() => Faults(new BillingDetails("a\nb", [.. Enumerable.Repeat("x", 7)], new string('x', 51), 5_001, "both"))
        .ShouldBe(["billing.legalName", "billing.address", "billing.taxId", "billing.taxRateBasisPoints", "billing.reverseChargeNote"], ignoreOrder: true);

    [Fact]
    public void A_rate_and_a_note_exclude_each_other() => Faults(Billing with { ReverseChargeNote = "Reverse charge." }).ShouldBe(["billing.reverseChargeNote"]);

    private static IEnumerable<string> Faults(BillingDetails details) => Given(Registered).When(Set with { Billing = new BillingChange(details) }).ThenRefused("invalid").Fields!.Keys;
}
