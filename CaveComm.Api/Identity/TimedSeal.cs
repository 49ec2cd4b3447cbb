using System.Globalization;
using System.Security.Cryptography;
using Microsoft.AspNetCore.DataProtection;

namespace CaveComm.Api.Identity;

/// <summary>Words that travel through somebody's browser or mail and come back as they were, within their time: nobody can read, change or make them.</summary>
internal sealed class TimedSeal(IDataProtectionProvider protection, string purpose, TimeProvider clock)
{
    private const char Between = '\n';
    private const int Longest = 2_000;

    private readonly IDataProtector protector = protection.CreateProtector(purpose);

    public string Close(TimeSpan life, params ReadOnlySpan<string> words)
    {
        var until = (clock.GetUtcNow() + life).ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture);
        return protector.Protect(string.Join(Between, [until, .. words]));
    }

    /// <returns>Null when it was made by somebody else, was changed, or its time is over.</returns>
    public string[]? Open(string? closed)
    {
        if (string.IsNullOrEmpty(closed) || closed.Length > Longest)
        {
            return null;
        }

        try
        {
            return protector.Unprotect(closed).Split(Between) is [var until, .. var words]
                && DateTimeOffset.FromUnixTimeSeconds(long.Parse(until, CultureInfo.InvariantCulture)) > clock.GetUtcNow() ? words : null;
        }
        catch (CryptographicException)
        {
            return null;
        }
    }
}
