using Microsoft.AspNetCore.Identity;

namespace CaveComm.Api.Identity;

/// <summary>Hashes and checks passwords; the work takes the same time whether or not there is an account.</summary>
internal sealed class Passwords
{
    public const int Least = 8;
    public const int Most = 256;

    private readonly PasswordHasher<string> hasher = new();
    private readonly Lazy<string> nobodys;

    public Passwords() => nobodys = new(() => Hash(Guid.NewGuid().ToString()));

    public string Hash(string password) => hasher.HashPassword("", password);

    /// <param name="hash">Null when there is no such account: then something is hashed all the same.</param>
    public PasswordCheck Check(string? hash, string password)
    {
        var result = hasher.VerifyHashedPassword("", hash ?? nobodys.Value, password);
        return hash is null ? PasswordCheck.Wrong : result switch
        {
            PasswordVerificationResult.Failed => PasswordCheck.Wrong,
            PasswordVerificationResult.Success => PasswordCheck.Right,
            PasswordVerificationResult.SuccessRehashNeeded => PasswordCheck.RightButOld,
        };
    }
}

internal enum PasswordCheck
{
    Wrong,
    Right,

    /// <summary>Right, and hashed at a cost that was enough once.</summary>
    RightButOld,
}
