using CaveComm.Domain;
using CaveComm.Domain.Identity;
using CaveComm.Tests.Support;
using Shouldly;
using static CaveComm.Domain.Identity.AccountCommand;
using static CaveComm.Domain.Identity.AccountEvent;

namespace CaveComm.Tests.Identity;

public sealed class AccountTests
{
    private static readonly AccountRegistered Registered = new("mira", "mira");
    private static readonly SecondFactorTurnedOn On = new("by the owner");
    private static readonly ApiKeyMade Key = new(1, "Shop window", Scope.ReadCommissions, "d1");
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
    public void What_ends_all_sessions_raises_their_generation()
    {
        State(Registered, On, new RecoveryCodesMade(10), Key, Admin).SessionsGeneration.ShouldBe(0);
        State(Registered, new PasswordChanged("why"), new SessionsEnded("why"), On, new SecondFactorTurnedOff("lost")).SessionsGeneration.ShouldBe(3);
    }

    [Fact]
    public void The_second_factor_is_turned_on_once_and_with_recovery_codes()
    {
        Decide([Registered], new TurnOnSecondFactor(10, "by the owner")).Events.ShouldBe([On, new RecoveryCodesMade(10)]);
        Decide([Registered, On], new TurnOnSecondFactor(10, "again")).Refusal!.Code.ShouldBe("second-factor-on");
    }

    [Fact]
    public void Turning_the_second_factor_off_voids_its_recovery_codes()
    {
        Decide([Registered, On], new TurnOffSecondFactor("lost")).Events.ShouldBe([new SecondFactorTurnedOff("lost")]);
        Decide([Registered], new TurnOffSecondFactor("lost")).ShouldBe(Decision<AccountEvent>.Nothing);
        State(Registered, On, new RecoveryCodesMade(10), new SecondFactorTurnedOff("lost")).RecoveryCodesLeft.ShouldBe(0);
    }

    [Fact]
    public void Recovery_codes_belong_to_a_second_factor_and_are_counted_down()
    {
        Decide([Registered], new MakeRecoveryCodes(10)).Refusal!.Code.ShouldBe("second-factor-off");
        Decide([Registered, On], new MakeRecoveryCodes(10)).Events.ShouldBe([new RecoveryCodesMade(10)]);
        Decide([Registered, On, new RecoveryCodesMade(1)], new UseRecoveryCode()).Events.ShouldBe([new RecoveryCodeUsed()]);
        Decide([Registered, On, new RecoveryCodesMade(1), new RecoveryCodeUsed()], new UseRecoveryCode()).ShouldBe(Decision<AccountEvent>.Nothing);
    }

    [Fact]
    public void A_code_of_the_app_is_used_once_and_none_from_before_it()
    {
        Decide([Registered], new UseSecondFactorCode(7)).Refusal!.Code.ShouldBe("second-factor-off");
        Decide([Registered, On], new UseSecondFactorCode(7)).Events.ShouldBe([new SecondFactorCodeUsed(7)]);
        Decide([Registered, On, new SecondFactorCodeUsed(7)], new UseSecondFactorCode(7)).ShouldBe(Decision<AccountEvent>.Nothing);
        Decide([Registered, On, new SecondFactorCodeUsed(7)], new UseSecondFactorCode(6)).ShouldBe(Decision<AccountEvent>.Nothing);
        State(Registered, On, new SecondFactorCodeUsed(7), new SecondFactorTurnedOff("lost")).LastCodeStep.ShouldBe(0, "another app shows other codes");
    }

    [Fact]
    public void A_key_gets_the_next_number_and_its_scopes_in_order() =>
        Decide([Registered, Key, new ApiKeyRevoked(1)], new MakeApiKey(" Books ", [Scope.WriteCommissions, Scope.ReadBilling, Scope.ReadBilling], "d2"))
            .Events.ShouldBe([new ApiKeyMade(2, "Books", "billing:read commissions:write", "d2")]);

    [Fact]
    public void A_key_without_a_name_or_with_a_scope_that_nobody_may_give_is_refused()
    {
        Decide([Registered], new MakeApiKey(" ", [], "d")).Refusal!.Fields!.Keys.ShouldBe(["name", "scopes"], ignoreOrder: true);
        Decide([Registered], new MakeApiKey("Books", [Scope.ReadBilling, Scope.Admin], "d")).Refusal!.Fields!.Keys.ShouldBe(["scopes"]);
        Decide([Registered], new MakeApiKey("Books", [Scope.Account], "d")).Refusal!.Fields!.Keys.ShouldBe(["scopes"]);
    }

    [Fact]
    public void Keys_are_counted() =>
        Decide([Registered, .. Enumerable.Range(1, AccountDecider.MostApiKeys).Select(it => new ApiKeyMade(it, "Books", Scope.ReadBilling, $"d{it}"))],
            new MakeApiKey("Books", [Scope.ReadBilling], "d")).Refusal!.Code.ShouldBe("too-many-keys");

    [Fact]
    public void A_key_is_revoked_once()
    {
        Decide([Registered, Key], new RevokeApiKey(1)).Events.ShouldBe([new ApiKeyRevoked(1)]);
        Decide([Registered, Key, new ApiKeyRevoked(1)], new RevokeApiKey(1)).ShouldBe(Decision<AccountEvent>.Nothing);
        Decide([Registered, Key], new RevokeApiKey(2)).Refusal!.Kind.ShouldBe(RefusalKind.Missing);
        State(Registered, Key, new ApiKeyRevoked(1)).ApiKeys.ShouldBeEmpty();
    }

    [Fact]
    public void Password_and_sessions_are_changed_as_often_as_asked()
    {
        Decide([Registered, new PasswordChanged("why")], new ChangePassword("again")).Events.ShouldBe([new PasswordChanged("again")]);
        Decide([Registered, new SessionsEnded("why")], new EndSessions("again")).Events.ShouldBe([new SessionsEnded("again")]);
    }

    [Fact]
    public void Evolve_knows_every_event()
    {
        var examples = Some.EveryEvent.OfType<AccountEvent>().ToList();
        examples.Select(it => it.GetType()).ShouldBe(typeof(AccountEvent).GetNestedTypes(), ignoreOrder: true);
        foreach (var example in examples)
        {
            Account.Evolve(Account.Initial, example).ShouldNotBeNull();
        }
    }

    private static GrantRole Grant => new(Role.Admin, "by ada");

    private static Decision<AccountEvent> Decide(AccountEvent[] past, AccountCommand command) =>
        AccountDecider.Decide(State(past), command);

    private static Account State(params AccountEvent[] past) => past.Aggregate(Account.Initial, Account.Evolve);
}
