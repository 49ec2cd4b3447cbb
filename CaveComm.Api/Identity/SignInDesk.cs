using System.Globalization;
using CaveComm.Domain.Identity;
using Microsoft.AspNetCore.DataProtection;

namespace CaveComm.Api.Identity;

/// <summary>How a sign-in ended.</summary>
internal abstract record SignInOutcome
{
    private SignInOutcome() { }

    public sealed record SignedIn(Caller Caller) : SignInOutcome;

    /// <param name="Code">A problem's.</param>
    /// <param name="Ticket">Set when the password was right: with it, a code is enough.</param>
    public sealed record Refused(string Code, string Detail, string? Ticket = null) : SignInOutcome;

    public sealed record TooMany(TimeSpan RetryAfter, string? Ticket = null) : SignInOutcome;
}

/// <summary>Where passwords and codes are checked: within the limits, in the right lane, and every refusal noted.</summary>
internal sealed class SignInDesk(
    AccountHandling handling, Accounts accounts, SecondFactors factors, GuessLimits limits, HashingLanes lanes, KnownBrowsers browsers, RefusedSignIns refusals,
    IDataProtectionProvider protection, TimeProvider clock)
{
    public const string CodeNeeded = "second-factor-required";
    private const string WrongCredentials = "wrong-credentials";
    private static readonly TimeSpan TicketLife = TimeSpan.FromMinutes(10);
    private static readonly TimeSpan FullLane = TimeSpan.FromSeconds(5);

    private readonly TimedSeal tickets = new(protection, "CaveComm.HalfSignIn", clock);

    public async Task<SignInOutcome> SignIn(HttpContext http, SignInBody body, CancellationToken cancel)
    {
        if (body.Ticket is { Length: > 0 } ticket)
        {
            return await HolderOf(ticket, cancel) is { } holder
                ? await Finish(http, holder, body.Code, ticket, cancel)
                : new SignInOutcome.Refused(WrongCredentials, "That took too long. Sign in again.");
        }

        var account = await handling.FindByName(body.Username, cancel);

        // Read before the password is looked at: if that is changed meanwhile, the session that begins here is over with all others.
        accounts.Forget(account ?? Guid.Empty);
        var state = await accounts.FindAccount(account ?? Guid.Empty, cancel);
        if (await Refusal(http, SignInName.Of(body.Username), account, body.Password ?? "", cancel) is { } refusal)
        {
            return refusal;
        }

        return state is not null
            ? await Finish(http, (account!.Value, state), body.Code, TicketFor(account.Value, state), cancel)
            : throw new InvalidOperationException($"The name leads to account {account:D}, which is not there.");
    }

    /// <summary>Asks for the own password once more, before something that a stolen session must not do.</summary>
    /// <returns>Null when it is right.</returns>
    public Task<SignInOutcome?> Confirm(HttpContext http, Caller caller, string password, CancellationToken cancel) =>
        Refusal(http, SignInName.Of(caller.Username), caller.AccountId, password, cancel);

    private async Task<SignInOutcome?> Refusal(HttpContext http, string name, Guid? account, string password, CancellationToken cancel)
    {
        var wrong = new SignInOutcome.Refused(WrongCredentials, "This username and password do not fit together.");
        if (password.Length is 0 or > Passwords.Most)
        {
            return wrong; // Nobody's password: no guess.
        }

        var address = GuessLimits.AddressOf(http);
        var browser = browsers.Find(http, account);
        var lane = browser is not null ? lanes.Known
            : limits.Addresses.Over(address) is null && limits.Names.Over(name) is null ? lanes.Open
            : lanes.HeldBack;
        using (var place = await lane.Enter(cancel))
        {
            if (place is null)
            {
                return new SignInOutcome.TooMany(limits.Addresses.Over(address) ?? limits.Names.Over(name) ?? FullLane);
            }

            if (await handling.IsPassword(account, password, cancel))
            {
                return null;
            }
        }

        if (browser is not null)
        {
            limits.Browsers.Fail(browser);
        }

        var reason = account is null ? SignInRefusal.UnknownName : SignInRefusal.WrongPassword;
        var over = await Count(http, reason, account, cancel, ("address", limits.Addresses.Fail(address)), ("name", limits.Names.Fail(name)));
        return over is { } wait ? new SignInOutcome.TooMany(wait) : wrong;
    }

    private async Task<SignInOutcome> Finish(HttpContext http, (Guid Id, Account State) holder, string? code, string ticket, CancellationToken cancel)
    {
        var caller = await accounts.Find(holder.Id, cancel) ?? throw new InvalidOperationException($"Account {holder.Id:D} is gone.");
        caller = caller with { SessionsGeneration = holder.State.SessionsGeneration };
        if (!holder.State.HasSecondFactor)
        {
            return new SignInOutcome.SignedIn(caller);
        }

        if (string.IsNullOrWhiteSpace(code))
        {
            return new SignInOutcome.Refused(CodeNeeded, "This account asks for a code too: the one that the authenticator app shows now, or a recovery code.", ticket);
        }

        var key = $"{holder.Id:N}";
        var isShort = SecondFactors.IsShort(code);

        // The owner's own browser does not use up what strangers are counted by, nor they what it is.
        var (window, by) = browsers.Find(http, holder.Id) is { } browser ? (limits.BrowserCodes, browser) : (limits.Codes, key);
        if (isShort && window.Try(by) is { RetryAfter: { } wait } limited)
        {
            await refusals.Record(http, SignInRefusal.WrongCode, "code", limited.IsFirst, holder.Id, cancel);
            return new SignInOutcome.TooMany(wait, ticket);
        }

        var check = await factors.Use(holder.Id, code, cancel);
        if (check == CodeCheck.Right)
        {
            if (isShort)
            {
                window.Forgive(by);
            }

            return new SignInOutcome.SignedIn(caller);
        }

        var reason = check == CodeCheck.UsedBefore ? SignInRefusal.CodeUsedBefore : SignInRefusal.WrongCode;
        var counted = isShort ? default : window.Fail(by);
        var over = await Count(http, reason, holder.Id, cancel, ("code", counted), ("address", limits.Addresses.Fail(GuessLimits.AddressOf(http))));
        return over is { } pause
            ? new SignInOutcome.TooMany(pause, ticket)
            : new SignInOutcome.Refused("wrong-code", check == CodeCheck.UsedBefore
                ? "This code was used already. Wait for the next one."
                : "This is not the right code. Check the device's clock, and try the next one.", ticket);
    }

    private async Task<TimeSpan?> Count(HttpContext http, string reason, Guid? account, CancellationToken cancel, params (string Limit, FailureCount Count)[] counts)
    {
        var over = counts.Where(it => it.Count.RetryAfter is not null).ToList();
        var told = over.FirstOrDefault(it => it.Count.IsFirst, over.FirstOrDefault());
        await refusals.Record(http, reason, told.Limit, told.Count.IsFirst, account, cancel);
        return over is [] ? null : over.Max(it => it.Count.RetryAfter);
    }

    /// <summary>Says that the password was right. It is void once the password is another.</summary>
    private string TicketFor(Guid account, Account state) => tickets.Close(TicketLife, $"{account:N}", state.SessionsGeneration.ToString(CultureInfo.InvariantCulture));

    private async Task<(Guid Id, Account State)?> HolderOf(string ticket, CancellationToken cancel)
    {
        if (tickets.Open(ticket) is not [var id, var generation] || !Guid.TryParse(id, out var account))
        {
            return null;
        }

        accounts.Forget(account);
        return await accounts.FindAccount(account, cancel) is { } state && $"{state.SessionsGeneration}" == generation ? (account, state) : null;
    }
}
