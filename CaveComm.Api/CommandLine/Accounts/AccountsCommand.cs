using System.Buffers.Text;
using System.CommandLine;
using System.Security.Cryptography;
using CaveComm.Api.CommandLine.Messages;
using CaveComm.Api.Identity;
using CaveComm.Api.OwnAccount;
using CaveComm.Domain;
using CaveComm.Domain.Identity;
using Microsoft.AspNetCore.Identity;
using Microsoft.Extensions.Options;
using AccountsOfStore = CaveComm.Api.Identity.Accounts;

namespace CaveComm.Api.CommandLine.Accounts;

/// <summary>
/// What an operator does for people whom no page can help: the first administrator, whoever lost the device with the codes and the recovery codes too, and
/// whoever forgot the password and has no address that a link could go to.
/// </summary>
internal static class AccountsCommand
{
    private const string Actor = "operator";
    private const int PasswordBytes = 15;

    public static Command Build() => new("accounts", "Give and take roles, turn off a lost second factor, make a new password.")
    {
        OnRole("grant", "Give an account a role. The first administrator is made so.", (role, why) => new AccountCommand.GrantRole(role, why)),
        OnRole("revoke", "Take a role from an account.", (role, why) => new AccountCommand.RevokeRole(role, why)),
        OnAccount("second-factor-off", "Let somebody sign in with the password alone who lost the device with the codes. Make sure that it is they who ask.", TurnOffSecondFactor),
        OnAccount("password", "Make a new password, which is printed. For people who have no address that a link could go to.", MakePassword),
    };

    private static Command OnRole(string act, string description, Func<string, string, AccountCommand> command)
    {
        var role = new Argument<string>("role") { Description = "admin, auditor, freelancer, or plan: and the plan's name.", HelpName = "ROLE" };
        var built = OnAccount(act, description, async (on, parsed, cancel) =>
        {
            var wanted = parsed.GetRequiredValue(role);
            var decision = await on.Handling.Handle(on.Account, command(wanted, on.Why), Actor, cancel);
            Console.WriteLine($"{on.Name}: {act} {wanted}: {(Done(decision).Events is [] ? "it was so already" : "done")}.");
        });
        built.Arguments.Add(role);
        return built;
    }

    private static Command OnAccount(string act, string description, Func<Target, ParseResult, CancellationToken, Task> carryOut)
    {
        var data = CommonOptions.Data();
        var name = new Argument<string>("name") { Description = "What the person signs in with.", HelpName = "NAME" };
        var reason = MessagesCommand.Reason("Why; stands in the account's story.", required: true);
        var command = new Command(act, description) { name, reason, data };
        command.SetAction((parsed, cancel) => OperatorStore.Run(
            parsed.GetRequiredValue(data),
            async opened =>
            {
                var called = parsed.GetRequiredValue(name);
                var passwords = new Passwords(Options.Create(new PasswordHasherOptions()));
                var handling = new AccountHandling(opened.Store, passwords, new AccountsOfStore(opened.Store, TimeProvider.System), TimeProvider.System);
                var account = await handling.FindByName(called, cancel) ?? throw new CommandFailure($"Nobody signs in as '{called}'.");
                await carryOut(new Target(called, account, parsed.GetRequiredValue(reason)!.Trim(), handling, passwords, opened), parsed, cancel);
                return ExitCode.Success;
            },
            cancel));
        return command;
    }

    private static async Task TurnOffSecondFactor(Target on, ParseResult parsed, CancellationToken cancel)
    {
        await using var scope = on.Opened.Scope();
        var outbox = scope.ServiceProvider.GetRequiredService<IOutbox>();
        var decision = await on.Handling.Handle(
            on.Account, Actor, (it, session, _) => SecondFactors.TurnOff(on.Account, it, session, on.Why, tell => Tell(outbox, tell, on.Account, AccountLetter.SecondFactorTurnedOff)), cancel);
        Console.WriteLine(Done(decision).Events is [] ? $"{on.Name} had no second factor." : $"{on.Name} signs in with the password alone now. Every session of before is over.");
    }

    private static async Task MakePassword(Target on, ParseResult parsed, CancellationToken cancel)
    {
        var password = Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(PasswordBytes));
        await using var scope = on.Opened.Scope();
        var outbox = scope.ServiceProvider.GetRequiredService<IOutbox>();
        Done(await on.Handling.Handle(on.Account, Actor, async (it, session, _) =>
        {
            session.Store(new AccountCredentials($"{on.Account:D}", on.Passwords.Hash(password)));
            await Tell(outbox, session, on.Account, AccountLetter.PasswordChanged);
            return AccountDecider.Decide(it, new AccountCommand.ChangePassword(on.Why));
        }, cancel));
        Console.WriteLine($"{on.Name} signs in with this password now, and should choose another: {password}");
    }

    private static async Task Tell(IOutbox outbox, IDocumentSession session, Guid account, AccountLetter letter)
    {
        outbox.Enroll(session);
        await outbox.PublishAsync(new MailAccount(account, letter, Guid.CreateVersion7()));
    }

    private static Decision<AccountEvent> Done(Decision<AccountEvent> decision) => decision.Refusal is { } refusal
        ? throw new CommandFailure(refusal.Fields is { } fields ? string.Join(' ', fields.SelectMany(it => it.Value)) : refusal.Detail)
        : decision;

    private sealed record Target(string Name, Guid Account, string Why, AccountHandling Handling, Passwords Passwords, OperatorStore Opened);
}
