using CaveComm.Api.Http.Idempotency;
using CaveComm.Api.Identity;
using CaveComm.Domain;
using CaveComm.Domain.Identity;

namespace CaveComm.Api.OwnAccount;

/// <summary>Changes that the owner of an account is written to about: event, secret and letter in one transaction.</summary>
internal sealed class AccountChanges(
    IDocumentStore store, AccountHandling handling, Passwords passwords, GuessLimits limits, AccountLinks links, IOutbox outbox, IKeyedWrites keyed,
    TimeProvider clock)
{
    /// <summary>Ends every session, too. The caller has to have proved the old password.</summary>
    public Task<Decision<AccountEvent>> ChangePassword(Caller caller, string password, CancellationToken cancel) => handling.HandleOwn(
        caller, (it, session, _) => SetPassword(caller.AccountId, it, session, password, "by the owner"), cancel);

    /// <summary>Writes to whoever has this name. To the caller it looks and takes the same when nobody has it.</summary>
    public async Task AskForReset(string name, CancellationToken cancel)
    {
        var account = await handling.FindByName(name, cancel) ?? Guid.Empty;
        if (account != Guid.Empty && limits.ResetMails.Fail($"{account:N}").RetryAfter is not null)
        {
            account = Guid.Empty; // Enough mails lie in that mailbox.
        }

        await using var session = store.LightweightSession();
        keyed.Enroll(session);
        await Tell(session, account, AccountLetter.PasswordReset);
        await session.SaveChangesAsync(cancel);
    }

    /// <summary>Whether the link in a mail can still be used.</summary>
    public async Task<bool> IsResetGood(string? token, CancellationToken cancel)
    {
        if (links.ReadPasswordReset(token) is not var (account, generation))
        {
            return false;
        }

        await using var session = store.QuerySession();
        return (await session.Events.AggregateStreamAsync<Account>(StreamKey.Account(account), token: cancel))?.SessionsGeneration == generation;
    }

    /// <summary>The second factor stays: a mailbox alone opens no account that has one.</summary>
    public async Task<Refusal?> Reset(string? token, string password, CancellationToken cancel)
    {
        if (links.ReadPasswordReset(token) is not var (account, generation))
        {
            return NotGood;
        }

        var decision = await handling.Handle(
            account,
            $"account:{account:D}",
            (it, session, _) => it.Exists && it.SessionsGeneration == generation
                ? SetPassword(account, it, session, password, "reset by mail")
                : Task.FromResult((Decision<AccountEvent>)NotGood),
            cancel);
        return decision.Refusal;
    }

    /// <summary>The letter leaves when the session commits.</summary>
    public async Task Tell(IDocumentSession session, Guid account, AccountLetter letter)
    {
        outbox.Enroll(session);
        await outbox.PublishAsync(new MailAccount(account, letter, Guid.CreateVersion7(clock.GetUtcNow())));
    }

    /// <returns>The key, which nobody can read again, and its number; or why not.</returns>
    public async Task<(string? Key, int Number, Refusal? Refusal)> MakeKey(Caller caller, string name, IReadOnlyList<string> scopes, CancellationToken cancel)
    {
        var (secret, digest) = ApiKeyText.NewSecret();
        var decision = await handling.HandleOwn(caller, async (it, session, _) =>
        {
            await Tell(session, caller.AccountId, AccountLetter.ApiKeyMade);
            return AccountDecider.Decide(it, new AccountCommand.MakeApiKey(name, scopes, digest));
        }, cancel);
        return decision.Events is [AccountEvent.ApiKeyMade made] ? (ApiKeyText.Of(caller.AccountId, made.Key, secret), made.Key, null) : (null, 0, decision.Refusal);
    }

    private static Refusal NotGood { get; } = new(RefusalKind.Forbidden, "link-not-good", "This link is not good, or no longer. Ask for a new one.");

    private async Task<Decision<AccountEvent>> SetPassword(Guid account, Account it, IDocumentSession session, string password, string cause)
    {
        session.Store(new AccountCredentials($"{account:D}", passwords.Hash(password)));
        await Tell(session, account, AccountLetter.PasswordChanged);
        return AccountDecider.Decide(it, new AccountCommand.ChangePassword(cause));
    }
}
