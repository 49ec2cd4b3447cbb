using System.Security.Cryptography;
using System.Text;
using CaveComm.Domain;
using CaveComm.Domain.Identity;
using Microsoft.AspNetCore.DataProtection;

namespace CaveComm.Api.Identity;

/// <summary>The secrets of a second factor. Whether it is on says the account alone.</summary>
/// <param name="Id">The account's id.</param>
/// <param name="SealedSeed">What the authenticator app has, too; only this installation's keys open it.</param>
/// <param name="LastStep">Of the code that it was turned on with; those that were used since are events of the account.</param>
/// <param name="RecoveryCodes">SHA-256 of each that is left; each holds 80 random bits.</param>
public sealed record SecondFactor(string Id, string SealedSeed, long LastStep, IReadOnlyList<string> RecoveryCodes);

/// <summary>A recovery code that was used, so that whoever sends it again is told so.</summary>
public sealed record UsedCode(string Id);

/// <summary>What an authenticator app has to be told, before the second factor is on.</summary>
/// <param name="Secret">For typing, in Base32.</param>
/// <param name="Address">For the QR code.</param>
/// <param name="Setup">To be sent back with the first code: the secret, sealed. It is good for a quarter of an hour.</param>
public sealed record FactorSetup(string Secret, string Address, string Setup);

internal enum CodeCheck
{
    Right,
    Wrong,
    UsedBefore,
}

/// <summary>Codes of authenticator apps, and the recovery codes that stand in for them.</summary>
internal sealed class SecondFactors(AccountHandling handling, IDataProtectionProvider protection, TimeProvider clock)
{
    public const int RecoveryCodes = 10;
    private const string ByOwner = "by the owner";
    private const int RecoveryBytes = 10;
    private static readonly TimeSpan SetupLife = TimeSpan.FromMinutes(15);

    private readonly TimedSeal setups = new(protection, "CaveComm.SecondFactorSetup", clock);
    private readonly IDataProtector seeds = protection.CreateProtector("CaveComm.SecondFactor");

    public FactorSetup Offer(Caller caller)
    {
        var seed = RandomNumberGenerator.GetBytes(Totp.SeedBytes);
        var secret = Totp.Base32(seed);
        return new FactorSetup(secret, Totp.Address(caller.Username, secret), setups.Close(SetupLife, $"{caller.AccountId:N}", Convert.ToHexString(seed)));
    }

    /// <summary>The offer that was made, to be shown again; null when it was for another account, or too long ago.</summary>
    public FactorSetup? Again(Caller caller, string? setup) => SeedOf(caller, setup) is { } seed
        ? new FactorSetup(Totp.Base32(seed), Totp.Address(caller.Username, Totp.Base32(seed)), setup!)
        : null;

    /// <param name="tell">What else commits with it.</param>
    /// <returns>The recovery codes, which nobody can read again; or why not.</returns>
    public async Task<(IReadOnlyList<string> Codes, Refusal? Refusal)> TurnOn(Caller caller, string? setup, string code, Func<IDocumentSession, Task> tell, CancellationToken cancel)
    {
        if (SeedOf(caller, setup) is not { } seed)
        {
            return ([], new Faults().Add("setup", "This took too long. Begin again.").ToRefusal());
        }

        if (Totp.StepOf(seed, Plain(code), clock.GetUtcNow()) is not { } step)
        {
            return ([], new Faults().Add("code", "This is not the code that the app shows now. Check the device's clock, and try the next one.").ToRefusal());
        }

        var codes = NewCodes();
        var decision = await handling.HandleOwn(caller, async (it, session, _) =>
        {
            session.Store(new SecondFactor(Id(caller.AccountId), seeds.Protect(Convert.ToHexString(seed)), step, [.. codes.Select(DigestOf)]));
            await tell(session);
            return AccountDecider.Decide(it, new AccountCommand.TurnOnSecondFactor(codes.Count, ByOwner));
        }, cancel);
        return decision.Refusal is { } refusal ? ([], refusal) : (codes, null);
    }

    public Task<Decision<AccountEvent>> TurnOff(Caller caller, Func<IDocumentSession, Task> tell, CancellationToken cancel) =>
        handling.HandleOwn(caller, (it, session, _) => TurnOff(caller.AccountId, it, session, ByOwner, tell), cancel);

    /// <returns>The new codes; the old ones are void.</returns>
    public async Task<(IReadOnlyList<string> Codes, Refusal? Refusal)> MakeRecoveryCodes(Caller caller, CancellationToken cancel)
    {
        var codes = NewCodes();
        var decision = await handling.HandleOwn(caller, async (it, session, token) =>
        {
            if (await session.LoadAsync<SecondFactor>(Id(caller.AccountId), token) is { } factor)
            {
                session.Store(factor with { RecoveryCodes = [.. codes.Select(DigestOf)] });
            }

            return AccountDecider.Decide(it, new AccountCommand.MakeRecoveryCodes(codes.Count));
        }, cancel);
        return decision.Refusal is { } refusal ? ([], refusal) : (codes, null);
    }

    /// <summary>Whether this has the length of an app's code; anything else can only be a recovery code.</summary>
    public static bool IsShort(string code) => Plain(code).Length <= Totp.Digits;

    /// <summary>Takes a code, once.</summary>
    public async Task<CodeCheck> Use(Guid account, string code, CancellationToken cancel)
    {
        try
        {
            return IsShort(code) ? await UseStep(account, Plain(code), cancel) : await UseRecoveryCode(account, code, cancel);
        }
        catch (DocumentAlreadyExistsException)
        {
            // Somebody sent the same one at the same moment and was first.
            return CodeCheck.UsedBefore;
        }
    }

    /// <summary>Which codes were used is in the account's stream, whose version tells of two at once who was first. The secrets are only read here: nothing that changes meanwhile is written back.</summary>
    private async Task<CodeCheck> UseStep(Guid account, string code, CancellationToken cancel)
    {
        var check = CodeCheck.Wrong;
        await handling.Handle(account, $"account:{account:D}", async (it, session, token) =>
        {
            check = CodeCheck.Wrong;
            if (await session.LoadAsync<SecondFactor>(Id(account), token) is not { } factor
                || Totp.StepOf(Convert.FromHexString(seeds.Unprotect(factor.SealedSeed)), code, clock.GetUtcNow()) is not { } step)
            {
                return Decision<AccountEvent>.Nothing;
            }

            var decision = step > factor.LastStep ? AccountDecider.Decide(it, new AccountCommand.UseSecondFactorCode(step)) : Decision<AccountEvent>.Nothing;
            check = decision.Refusal is not null ? CodeCheck.Wrong : decision.Events is [] ? CodeCheck.UsedBefore : CodeCheck.Right;
            return decision;
        }, cancel);
        return check;
    }

    private async Task<CodeCheck> UseRecoveryCode(Guid account, string code, CancellationToken cancel)
    {
        var digest = DigestOf(code);
        var check = CodeCheck.Wrong;
        await handling.Handle(account, $"account:{account:D}", async (it, session, token) =>
        {
            var factor = await session.LoadAsync<SecondFactor>(Id(account), token);
            if (factor?.RecoveryCodes.Contains(digest, StringComparer.Ordinal) != true)
            {
                check = await session.LoadAsync<UsedCode>($"{Id(account)}/{digest}", token) is null ? CodeCheck.Wrong : CodeCheck.UsedBefore;
                return Decision<AccountEvent>.Nothing;
            }

            session.Insert(new UsedCode($"{Id(account)}/{digest}"));
            session.Store(factor with { RecoveryCodes = [.. factor.RecoveryCodes.Where(left => left != digest)] });
            var decision = AccountDecider.Decide(it, new AccountCommand.UseRecoveryCode());
            check = decision.Events is [] ? CodeCheck.Wrong : CodeCheck.Right;
            return decision;
        }, cancel);
        return check;
    }

    /// <param name="tell">What else commits with it.</param>
    public static async Task<Decision<AccountEvent>> TurnOff(Guid account, Account it, IDocumentSession session, string cause, Func<IDocumentSession, Task> tell)
    {
        session.Delete<SecondFactor>(Id(account));
        await tell(session);
        return AccountDecider.Decide(it, new AccountCommand.TurnOffSecondFactor(cause));
    }

    private byte[]? SeedOf(Caller caller, string? setup) =>
        setups.Open(setup) is [var owner, var seed] && owner == $"{caller.AccountId:N}" ? Convert.FromHexString(seed) : null;

    private static List<string> NewCodes() =>
        [.. Enumerable.Range(0, RecoveryCodes).Select(_ => string.Join('-', Totp.Base32(RandomNumberGenerator.GetBytes(RecoveryBytes)).ToLowerInvariant().Chunk(4).Select(it => new string(it))))];

    private static string DigestOf(string code) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(Plain(code).ToLowerInvariant())));

    /// <summary>People type codes as they are printed, with spaces and hyphens.</summary>
    private static string Plain(string code) => string.Concat(code.Where(it => !char.IsWhiteSpace(it) && it != '-'));

    private static string Id(Guid account) => $"{account:D}";
}
