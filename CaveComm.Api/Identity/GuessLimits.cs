using System.Net;
using System.Net.Sockets;

namespace CaveComm.Api.Identity;

/// <summary>
/// How often somebody may be wrong. Over a limit a wrong password is answered 429; a right one still passes, so that nobody is locked out by
/// others' guesses (docs/adr/0019).
/// </summary>
internal sealed class GuessLimits(TimeProvider clock)
{
    public const int Most = 10;
    public static readonly TimeSpan Window = TimeSpan.FromMinutes(1);
    public static readonly TimeSpan CodeWindow = TimeSpan.FromHours(1);
    private const int MostResetMails = 3;
    private const int NetworkBytes = 8;

    public FailureWindow Addresses { get; } = new(Most, Window, clock);

    /// <summary>By the name that was typed, whether or not somebody has it: the answer tells nothing of that.</summary>
    public FailureWindow Names { get; } = new(Most, Window, clock);

    /// <summary>Passwords by browser: one that somebody has signed in with before is known again.</summary>
    public FailureWindow Browsers { get; } = new(Most, Window, clock);

    /// <summary>
    /// By account: codes of six digits, of whoever has the password already. Ten an hour: three codes are good at a time, so a guesser gets in
    /// within a year with a chance of one in four, and is in the log every hour of it. Over this limit no code is tried at all.
    /// </summary>
    public FailureWindow Codes { get; } = new(Most, CodeWindow, clock);

    /// <summary>By known browser: the same for whoever has that and the password. The owner's are not counted with strangers', nor strangers' with the owner's.</summary>
    public FailureWindow BrowserCodes { get; } = new(Most, CodeWindow, clock);

    /// <summary>By account: so many reset mails an hour, however often they are asked for.</summary>
    public FailureWindow ResetMails { get; } = new(MostResetMails, TimeSpan.FromHours(1), clock);

    /// <summary>The address that counts: behind a trusted proxy the one that it names. A home has a whole IPv6 network of 64 bits, so that is counted as one.</summary>
    public static string AddressOf(HttpContext http)
    {
        var address = http.Connection.RemoteIpAddress ?? IPAddress.None;
        address = address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address;
        return address.AddressFamily == AddressFamily.InterNetworkV6 ? Convert.ToHexString(address.GetAddressBytes(), 0, NetworkBytes) : address.ToString();
    }
}
