using CaveComm.Domain;
using CaveComm.Domain.Freelancers;
using CaveComm.Domain.Identity;

namespace CaveComm.Api.Identity;

/// <summary>Somebody who wants an account.</summary>
/// <param name="Email">A second name to sign in with, and where a freelancer is notified; null for an account without a shop.</param>
/// <param name="Role">The account's first role; with <see cref="Domain.Identity.Role.Freelancer"/> comes a shop.</param>
internal sealed record Registration(string Username, string Handle, string DisplayName, string? Email, string Password, string Role, string Cause);

/// <param name="Position">The last event's place in the log.</param>
internal sealed record Registered(Guid AccountId, Refusal? Refusal, long Position);

/// <summary>Registers accounts, checks sign-ins, grants roles.</summary>
internal sealed class AccountHandling(IDocumentStore store, Passwords passwords, Accounts accounts, TimeProvider clock)
{
    private const int MostAttempts = 10;

    public Task<Registered> Register(Registration wanted, CancellationToken cancel) => Register(wanted, _ => { }, cancel);

    /// <summary>Account, shop, names and credentials in one transaction; of two who want a name at once, one gets it.</summary>
    /// <param name="enroll">What else commits with it.</param>
    public async Task<Registered> Register(Registration wanted, Action<IDocumentSession> enroll, CancellationToken cancel)
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
        var names = new[] { wanted.Username, wanted.Email }.OfType<string>().Select(SignInName.Of).Distinct().ToList();
        session.Events.StartStream<Account>(StreamKey.Handle(wanted.Handle), new NameEvent.HandleClaimed(id));
        names.ForEach(name => session.Events.StartStream<Account>(StreamKey.Username(name), new NameEvent.UsernameClaimed(id)));
        var started = session.Events.StartStream<Account>(StreamKey.Account(id), [.. account.Events]);
        if (hasShop)
        {
            started = session.Events.StartStream<Freelancer>(StreamKey.Freelancer(wanted.Handle), [.. shop.Events]);
        }

        names.ForEach(name => session.Store(new SignInName(name, id)));
        session.Store(new AccountCredentials($"{id:D}", passwords.Hash(wanted.Password)));
        try
        {
            await session.SaveChangesAsync(cancel);
            return new(id, null, started.Events.Max(it => it.Sequence));
        }
        catch (ExistingStreamIdCollisionException taken)
        {
            return new(id, Taken((string)taken.Id), 0);
        }
    }

    /// <returns>Null when name and password do not fit together; the answer takes as long when there is no such name.</returns>
    public async Task<Caller?> SignIn(string username, string password, CancellationToken cancel)
    {
        await using var session = store.LightweightSession();
        var name = await session.LoadAsync<SignInName>(SignInName.Of(username), cancel);
        var credentials = await session.LoadAsync<AccountCredentials>($"{name?.Account ?? Guid.Empty:D}", cancel);
        var check = passwords.Check(credentials?.PasswordHash, password);
        if (name is null || credentials is null || check == PasswordCheck.Wrong)
        {
            return null;
        }

        if (check == PasswordCheck.RightButOld)
        {
            session.Store(credentials with { PasswordHash = passwords.Hash(password) });
            await session.SaveChangesAsync(cancel);
        }

        return await accounts.Find(name.Account, cancel);
    }

    public async Task<Guid?> FindByName(string username, CancellationToken cancel)
    {
        await using var session = store.QuerySession();
        return (await session.LoadAsync<SignInName>(SignInName.Of(username), cancel))?.Account;
    }

    public async Task SetPassword(Guid account, string password, CancellationToken cancel)
    {
        await using var session = store.LightweightSession();
        session.Store(new AccountCredentials($"{account:D}", passwords.Hash(password)));
        await session.SaveChangesAsync(cancel);
    }

    /// <summary>Grants or revokes a role.</summary>
    /// <param name="actor">Who does it, for the event's metadata.</param>
    public async Task<Decision<AccountEvent>> Handle(Guid account, AccountCommand command, string actor, CancellationToken cancel)
    {
        for (var attempt = 1; ; attempt++)
        {
            await using var session = store.LightweightSession();
            session.LastModifiedBy = actor;
            var stream = await session.Events.FetchForWriting<Account>(StreamKey.Account(account), cancel);
            var decision = AccountDecider.Decide(stream.Aggregate ?? Account.Initial, command);
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

    private static Refusal Taken(string stream) => stream.StartsWith("username:", StringComparison.Ordinal)
        ? new Refusal(RefusalKind.Conflict, "username-taken", "Somebody signs in with this name or address already.")
        : new Refusal(RefusalKind.Conflict, "handle-taken", "This handle is taken; choose another.");

    private static Refusal? PasswordFaults(string password) => password.Length is >= Passwords.Least and <= Passwords.Most
        ? null
        : new Faults().Add("password", $"From {Passwords.Least} to {Passwords.Most} characters.").ToRefusal();

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
