using CaveComm.Domain;
using CaveComm.Domain.Identity;
using Shouldly;
using static CaveComm.Domain.Identity.AccountCommand;
using static CaveComm.Domain.Identity.AccountEvent;

namespace CaveComm.Tests.Identity;

public sealed class AccountTests
{
    private static readonly AccountRegistered Registered = new("mira", "mira");
    private static readonly RoleGranted Admin = new(Role.Admin, "by ada");

    [Fact]
    public void Registering_records_the_account_and_its_first_role() =>
        Decide([], new Register("mira", "mira", Role.Freelancer, "registered")).Events.ShouldBe([Registered, new RoleGranted(Role.Freelancer, "registered")]);

    [Fact]
    public void An_account_is_registered_once() =>
        Decide([Registered], new Register("mira", "mira", null, "again")).Refusal!.Code.ShouldBe("already-registered");

    [Fact]
    public void A_reserved_handle_is_refused() =>
        Decide([], new Register("admin", "admin", null, "registered")).Refusal!.Fields!.Keys.ShouldBe(["handle"]);

    [Fact]
    public void A_role_is_granted_once() => Decide([Registered, Admin], new GrantRole(Role.Admin, "again")).ShouldBe(Decision<AccountEvent>.Nothing);

    [Fact]
    public void A_role_that_is_not_there_is_not_revoked() => Decide([Registered], new RevokeRole(Role.Admin, "why")).Events.ShouldBeEmpty();

    [Fact]
    public void A_revoked_role_can_be_granted_again() =>
        Decide([Registered, Admin, new RoleRevoked(Role.Admin, "why")], Grant).Events.ShouldBe([Admin]);

    [Fact]
    public void Nobody_gets_no_role() => Decide([], Grant).Refusal!.Kind.ShouldBe(RefusalKind.Missing);

    [Fact]
    public void Evolve_knows_every_event()
    {
        AccountEvent[] examples = [Registered, Admin, new RoleRevoked(Role.Admin, "why")];
        examples.Select(it => it.GetType()).ShouldBe(typeof(AccountEvent).GetNestedTypes(), ignoreOrder: true);
        foreach (var example in examples)
        {
            Account.Evolve(Account.Initial, example).ShouldNotBeNull();
        }
    }

    private static GrantRole Grant => new(Role.Admin, "by ada");

    private static Decision<AccountEvent> Decide(AccountEvent[] past, AccountCommand command) =>
        AccountDecider.Decide(past.Aggregate(Account.Initial, Account.Evolve), command);
}
