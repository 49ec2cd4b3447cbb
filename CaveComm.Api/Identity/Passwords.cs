using CaveComm.Domain;
using Microsoft.AspNetCore.Identity;
using Microsoft.Extensions.Options;

namespace CaveComm.Api.Identity;

/// <summary>Hashes and checks passwords; the work takes the same time whether or not there is an account.</summary>
internal sealed class Passwords(IOptions<PasswordHasherOptions> options)
{
    public const int Least = 8;
    public const int Most = 256;

    private readonly PasswordHasher<string> hasher = new(options);
    private readonly Lock making = new();
    private string? nobodys;

    public string Hash(string password) => hasher.HashPassword("", password);

    /// <summary>Notes what keeps this from being anybody's password.</summary>
    public static Faults Check(string field, string password, Faults faults) =>
        faults.Require(password.Length is >= Least and <= Most, field, $"From {Least} to {Most} characters.");

    /// <param name="hash">Null when there is no such account: then something is hashed all the same.</param>
    public PasswordCheck Check(string? hash, string password)
    {
        var result = hasher.VerifyHashedPassword("", hash ?? Nobodys(), password);
        return hash is null ? PasswordCheck.Wrong : result switch
        {
            PasswordVerificationResult.Failed => PasswordCheck.Wrong,
            PasswordVerificationResult.Success => PasswordCheck.Right,
            PasswordVerificationResult.SuccessRehashNeeded => PasswordCheck.RightButOld,
        };
    }

    private string Nobodys()
    {
        lock (making)
        {
            return nobodys ??= Hash(Guid.NewGuid().ToString());
        }
    }
}

internal enum PasswordCheck
{
    Wrong,
    Right,

    /// <summary>Right, and hashed at a cost that was enough once.</summary>
    RightButOld,
}
