using CaveComm.Api.OwnAccount;
using CaveComm.Domain;
using CaveComm.Domain.Freelancers;
using CaveComm.Domain.Identity;

namespace CaveComm.Api.Identity;

/// <summary>Somebody who wants an account.</summary>
/// <param name="Email">A second name to sign in with, and where a freelancer is notified; null for an account without a shop.</param>
/// <param name="Password">Null for somebody who signs in at another issuer.</param>
/// <param name="Role">The account's first role; with <see cref="Domain.Identity.Role.Freelancer"/> comes a shop.</param>
internal sealed record Registration(string Username, string Handle, string DisplayName, string? Email, string? Password, string Role, string Cause)
{
    /// <summary>The name by which another issuer's tokens lead here: <see cref="ExternalAccounts.NameOf"/>.</summary>
    public string? IssuedName { get; init; }
}

/// <param name="Position">The last event's place in the log.</param>
internal sealed record Registered(Guid AccountId, Refusal? Refusal, long Position);

/// <summary>Registers accounts, checks sign-ins, grants roles.</summary>
internal sealed class AccountHandling(IDocumentStore store, Passwords passwords, Accounts accounts, TimeProvider clock)
{
    private const int MostAttempts = 10;

    public Task<Registered> Register(Registration wanted, CancellationToken cancel) => Register(wanted, _ => { }, null, cancel);

    /// <summary>Account, shop, names and credentials in one transaction; of two who want a name at once, one gets it.</summary>
    /// <param name="enroll">What else commits with it.</param>
    /// <param name="invitation">Used up with it.</param>
    public async Task<Registered> Register(Registration wanted, Action<IDocumentSession> enroll, Guid? invitation, CancellationToken cancel)
    {
        var id = Guid.CreateVersion7(clock.GetUtcNow());
        var account = AccountDecider.Decide(Account.Initial, new AccountCommand.Register(wanted.Username, wanted.Handle, wanted.Role, wanted.Cause));
        var hasShop = wanted.Role == Role.Freelancer;
        var shop = hasShop
            ? FreelancerDecider.Decide(Freelancer.Initial, new FreelancerCommand.Register(wanted.Handle, wanted.DisplayName, wanted.Email ?? ""))
            : Decision<FreelancerEvent>.Nothing;
        if (Together(account.Refusal, shop.Refusal, PasswordFaults(wanted.Password)) is { } refusal)
        {
            return new(id, refusal, 0);
        }

        await using var session = store.LightweightSession();
        session.LastModifiedBy = $"account:{id:D}";
        enroll(session);
        var names = new[] { wanted.Username, wanted.Email, wanted.IssuedName }.OfType<string>().Select(SignInName.Of).Distinct().ToList();
        session.Events.StartStream<Account>(StreamKey.Handle(wanted.Handle), new NameEvent.HandleClaimed(id));
        names.ForEach(name => session.Events.StartStream<Account>(StreamKey.Username(name), new NameEvent.UsernameClaimed(id)));
        var started = session.Events.StartStream<Account>(StreamKey.Account(id), [.. account.Events]);
        if (hasShop)
        {
            started = session.Events.StartStream<Freelancer>(StreamKey.Freelancer(wanted.Handle), [.. shop.Events]);
        }

        if (invitation is { } used && await Invitations.Accept(session, used, id, wanted.Handle, clock.GetUtcNow(), cancel) is { } notGood)
        {
            return new(id, notGood, 0);
        }

        names.ForEach(name => session.Store(new SignInName(name, id)));
        if (wanted.Password is not null)
        {
            session.Store(new AccountCredentials($"{id:D}", passwords.Hash(wanted.Password)));
        }

        try
        {
            await session.SaveChangesAsync(cancel);
            return new(id, null, started.Events.Max(it => it.Sequence));
        }
        catch (ExistingStreamIdCollisionException taken)
        {
            return new(id, Taken((string)taken.Id), 0);
        }
        catch (ConcurrencyException) when (invitation is not null)
        {
            // Nothing else here is appended to what exists: somebody registered with the same invitation at the same moment.
            return new(id, InvitationDecider.NoLongerGood.Refusal, 0);
        }
    }

    /// <returns>Null when name and password do not fit together.</returns>
    public async Task<Caller?> SignIn(string username, string password, CancellationToken cancel) =>
        await FindByName(username, cancel) is var account && await IsPassword(account, password, cancel) ? await accounts.Find(account!.Value, cancel) : null;

    /// <summary>Whether this is the account's password. The answer takes as long when there is no such account.</summary>
    public async Task<bool> IsPassword(Guid? account, string password, CancellationToken cancel)
    {
        var hash = await HashOf(account ?? Guid.Empty, cancel);
        var check = passwords.Check(hash, password);
        if (check == PasswordCheck.RightButOld)
        {
            await Rehash(account!.Value, hash!, password, cancel);
        }

        return check != PasswordCheck.Wrong;
    }

    public async Task<Guid?> FindByName(string username, CancellationToken cancel)
    {
        await using var session = store.QuerySession();
        return (await session.LoadAsync<SignInName>(SignInName.Of(username), cancel))?.Account;
    }

    public Task<Decision<AccountEvent>> SetPassword(Guid account, string password, string cause, string actor, CancellationToken cancel)
    {
        var hash = passwords.Hash(password);
        return Handle(account, actor, (it, session, _) =>
        {
            session.Store(new AccountCredentials($"{account:D}", hash));
            return Task.FromResult(AccountDecider.Decide(it, new AccountCommand.ChangePassword(cause)));
        }, cancel);
    }

    /// <param name="actor">Who does it, for the event's metadata.</param>
    public Task<Decision<AccountEvent>> Handle(Guid account, AccountCommand command, string actor, CancellationToken cancel) =>
        Handle(account, actor, (it, _, _) => Task.FromResult(AccountDecider.Decide(it, command)), cancel);

    /// <summary>
    /// What the owner does to the account, with whatever else <paramref name="decide"/> puts into the session. A request believes for a second what it
    /// read of its session: who was signed out in that second, on whatever node, must not leave a key, a password or a new session behind.
    /// </summary>
    public Task<Decision<AccountEvent>> HandleOwn(
        Caller owner, Func<Account, IDocumentSession, CancellationToken, Task<Decision<AccountEvent>>> decide, CancellationToken cancel) =>
        Handle(owner.AccountId, owner.Actor, (it, session, token) => it.SessionsGeneration == owner.SessionsGeneration ? decide(it, session, token) : Task.FromResult(SignedOut), cancel);

    /// <summary>Decides on the account as it stands, together with whatever else <paramref name="decide"/> puts into the session.</summary>
    public async Task<Decision<AccountEvent>> Handle(
        Guid account, string actor, Func<Account, IDocumentSession, CancellationToken, Task<Decision<AccountEvent>>> decide, CancellationToken cancel)
    {
        for (var attempt = 1; ; attempt++)
        {
            await using var session = store.LightweightSession();
            session.LastModifiedBy = actor;
            var stream = await session.Events.FetchForWriting<Account>(StreamKey.Account(account), cancel);
            var decision = await decide(stream.Aggregate ?? Account.Initial, session, cancel);
            if (decision.Events is [])
            {
                return decision;
            }

            stream.AppendMany(decision.Events);
            try
            {
                await session.SaveChangesAsync(cancel);
                accounts.Forget(account);
                return decision;
            }
            catch (ConcurrencyException) when (attempt < MostAttempts)
            {
                // Somebody else was first: load and decide again.
            }
        }
    }

    private async Task<string?> HashOf(Guid account, CancellationToken cancel)
    {
        await using var session = store.QuerySession();
        return (await session.LoadAsync<AccountCredentials>($"{account:D}", cancel))?.PasswordHash;
    }

    /// <summary>Hashing takes its time, and meanwhile the owner may have chosen another password: only the hash that was checked is replaced.</summary>
    private Task Rehash(Guid account, string old, string password, CancellationToken cancel)
    {
        var hash = passwords.Hash(password);
        return Handle(account, $"account:{account:D}", async (it, session, token) =>
        {
            if ((await session.LoadAsync<AccountCredentials>($"{account:D}", token))?.PasswordHash != old)
            {
                return Decision<AccountEvent>.Nothing;
            }

            session.Store(new AccountCredentials($"{account:D}", hash));
            return AccountDecider.Decide(it, new AccountCommand.RenewPasswordHash());
        }, cancel);
    }

    private static Decision<AccountEvent> SignedOut { get; } =
        Decision<AccountEvent>.Refuse(RefusalKind.Conflict, "lost-race", "Every session of this account was ended a moment ago. Sign in again.");

    private static Refusal Taken(string stream) => stream.StartsWith("username:", StringComparison.Ordinal)
        ? new Refusal(RefusalKind.Conflict, "username-taken", "Somebody signs in with this name or address already.")
        : new Refusal(RefusalKind.Conflict, "handle-taken", "This handle is taken; choose another.");

    private static Refusal? PasswordFaults(string? password)
    {
        var faults = password is null ? new Faults() : Passwords.Check("password", password, new Faults());
        return faults.IsEmpty ? null : faults.ToRefusal();
    }

    /// <summary>Every fault at once, whoever found it.</summary>
    private static Refusal? Together(params ReadOnlySpan<Refusal?> refusals)
    {
        var faults = new Faults();
        foreach (var refusal in refusals)
        {
            foreach (var (field, messages) in refusal?.Fields ?? new Dictionary<string, string[]>())
            {
                foreach (var message in messages)
                {
                    faults.Add(field, message);
                }
            }
        }

        return faults.IsEmpty ? null : faults.ToRefusal();
    }
}
