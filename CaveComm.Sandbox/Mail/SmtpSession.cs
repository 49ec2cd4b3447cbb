using System.Buffers.Text;
using System.Text;

namespace CaveComm.Sandbox.Mail;

/// <summary>One conversation with a mail client: the part of RFC 5321 that clients use, with 8BITMIME, SMTPUTF8, PIPELINING, SIZE and AUTH.</summary>
/// <param name="keep">Takes a whole mail. What it took is safe before the client hears 250.</param>
internal sealed class SmtpSession(Stream stream, SmtpSwitches switches, Action<ReceivedMail> keep)
{
    public const int SizeLimit = 25 * 1024 * 1024;
    private const int CommandLimit = 2048;
    private const int LineLimit = 128 * 1024;
    private const int RecipientLimit = 100;
    private const int FaultLimit = 20;

    private readonly SmtpLines lines = new(stream);
    private readonly List<string> recipients = [];
    private string? sender;
    private bool greeted;
    private int faults;

    public async Task Run(CancellationToken cancel)
    {
        await Say("220 CaveComm sandbox mail ESMTP", cancel);
        while (await lines.Read(CommandLimit, cancel) is var (line, tooLong))
        {
            if (tooLong)
            {
                await Say("500 5.5.2 That line is too long", cancel);
            }
            else if (!await Obey(Encoding.UTF8.GetString(line), cancel))
            {
                return;
            }

            if (faults > FaultLimit)
            {
                await Say("421 4.7.0 Too many faults", cancel);
                return;
            }
        }
    }

    /// <returns>False when the conversation is over.</returns>
    private async Task<bool> Obey(string line, CancellationToken cancel)
    {
        var space = line.IndexOf(' ');
        var verb = (space < 0 ? line : line[..space]).ToUpperInvariant();
        var rest = space < 0 ? "" : line[(space + 1)..].Trim();
        switch (verb)
        {
            case "QUIT":
                await Say("221 2.0.0 Bye", cancel);
                return false;
            case "DATA":
                return await Data(cancel);
            case "AUTH":
                await Authenticate(rest, cancel);
                return true;
            case "EHLO" when rest.Length > 0:
                Begin();
                await Say(
                    "250-CaveComm sandbox mail\r\n250-PIPELINING\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n250-ENHANCEDSTATUSCODES\r\n"
                    + $"250-AUTH PLAIN LOGIN\r\n250 SIZE {SizeLimit}",
                    cancel);
                return true;
            case "HELO" when rest.Length > 0:
                Begin();
                await Say("250 CaveComm sandbox mail", cancel);
                return true;
            default:
                await Say(Envelope(verb, rest), cancel);
                return true;
        }
    }

    private string Envelope(string verb, string rest) => verb switch
    {
        "EHLO" or "HELO" => "501 5.5.4 Say who you are",
        "NOOP" => "250 2.0.0 OK",
        "RSET" => Forget(),
        "VRFY" => "252 2.5.0 Just send it",
        "MAIL" => From(rest),
        "RCPT" => To(rest),
        "HELP" => "214 2.0.0 EHLO HELO AUTH MAIL RCPT DATA RSET NOOP VRFY QUIT",
        _ => "500 5.5.1 That is no command here",
    };

    private string From(string rest)
    {
        if (!greeted)
            return "503 5.5.1 EHLO comes first";
        if (sender is not null)
            return "503 5.5.1 There is a sender already";
        if (Path(rest, "FROM:") is not var (address, parameters))
            return "501 5.5.4 MAIL FROM:<address> is the form";
        foreach (var parameter in parameters.Split(' ', StringSplitOptions.RemoveEmptyEntries))
        {
            var parts = parameter.Split('=', 2);
            switch (parts[0].ToUpperInvariant())
            {
                case "SIZE" when parts.Length == 2 && long.TryParse(parts[1], out var size):
                    if (size > SizeLimit)
                        return "552 5.3.4 That mail is too big";
                    break;
                case "BODY" or "SMTPUTF8" or "AUTH" or "RET" or "ENVID":
                    break;
                default:
                    return "555 5.5.4 That parameter is not known here";
            }
        }

        sender = address;
        return "250 2.1.0 OK";
    }

    private string To(string rest)
    {
        if (sender is null)
            return "503 5.5.1 MAIL comes first";
        if (Path(rest, "TO:") is not var (address, _) || address.Length == 0)
            return "501 5.5.4 RCPT TO:<address> is the form";
        if (switches.Refuse)
            return "550 5.7.1 This mailbox takes nothing";
        if (switches.Busy)
            return "451 4.3.2 Come back later";
        if (recipients.Count == RecipientLimit)
            return "452 4.5.3 Too many recipients";
        recipients.Add(address);
        return "250 2.1.5 OK";
    }

    /// <summary>Reads <c>FROM:&lt;a@b&gt; PARAMETERS</c>; a source route before the address is dropped (RFC 5321, appendix C).</summary>
    private static (string Address, string Parameters)? Path(string rest, string label)
    {
        if (!rest.StartsWith(label, StringComparison.OrdinalIgnoreCase))
            return null;
        var path = rest[label.Length..].TrimStart();
        var close = path.IndexOf('>');
        if (!path.StartsWith('<') || close < 0)
            return null;
        var address = path[1..close];
        if (address.StartsWith('@') && address.IndexOf(':') is > 0 and var colon)
            address = address[(colon + 1)..];
        var ok = address.Length == 0 || (address.IndexOf('@') > 0 && !address.Any(c => c is ' ' or '<' || char.IsControl(c)));
        return ok ? (address, path[(close + 1)..]) : null;
    }

    private async Task<bool> Data(CancellationToken cancel)
    {
        if (recipients.Count == 0)
        {
            await Say("503 5.5.1 RCPT comes first", cancel);
            return true;
        }

        await Say("354 Go ahead; a line with a dot ends it", cancel);
        using var mail = new MemoryStream();
        var tooBig = false;
        while (true)
        {
            if (await lines.Read(LineLimit, cancel) is not var (line, tooLong))
                return false;
            if (line is [(byte)'.'])
                break;
            var text = line.Length > 0 && line[0] == '.' ? line.AsMemory(1) : line;
            tooBig |= tooLong || mail.Length + text.Length + 2 > SizeLimit;
            if (!tooBig)
            {
                mail.Write(text.Span);
                mail.Write("\r\n"u8);
            }
        }

        if (tooBig)
        {
            await Say("552 5.3.4 That mail is too big", cancel);
        }
        else
        {
            keep(new ReceivedMail(sender!, [.. recipients], mail.ToArray()));
            if (switches.DropsAfterThisMail())
                return false;
            await Say("250 2.0.0 Kept", cancel);
        }

        Forget();
        return true;
    }

    /// <summary>Everybody is let in: what is tried here is that a client can say its name and password.</summary>
    private async Task Authenticate(string rest, CancellationToken cancel)
    {
        var words = rest.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        string?[] answers = words switch
        {
            [var plain, var initial] when plain.Equals("PLAIN", StringComparison.OrdinalIgnoreCase) => [initial],
            [var plain] when plain.Equals("PLAIN", StringComparison.OrdinalIgnoreCase) => [await Ask("", cancel)],
            [var login, var user] when login.Equals("LOGIN", StringComparison.OrdinalIgnoreCase) => [user, await Ask("UGFzc3dvcmQ6", cancel)],
            [var login] when login.Equals("LOGIN", StringComparison.OrdinalIgnoreCase) =>
                [await Ask("VXNlcm5hbWU6", cancel), await Ask("UGFzc3dvcmQ6", cancel)],
            _ => [],
        };
        await Say(
            answers switch
            {
                [] => "504 5.5.4 PLAIN or LOGIN",
                _ when answers.Contains("*") => "501 5.7.0 As you like",
                _ when answers.All(it => it is not null && (it == "=" || Base64.IsValid(it))) => "235 2.7.0 Welcome",
                _ => "501 5.5.2 That is not base64",
            },
            cancel);
    }

    private async Task<string?> Ask(string challenge, CancellationToken cancel)
    {
        await Say($"334 {challenge}", cancel);
        return await lines.Read(CommandLimit, cancel) is var (line, _) ? Encoding.UTF8.GetString(line) : null;
    }

    private void Begin()
    {
        Forget();
        greeted = true;
    }

    private string Forget()
    {
        sender = null;
        recipients.Clear();
        return "250 2.0.0 OK";
    }

    private Task Say(string answer, CancellationToken cancel)
    {
        if (answer[0] == '5')
        {
            faults++;
        }

        return lines.Write(answer, cancel);
    }
}

/// <summary>A mail as it came: the envelope and the bytes, dots unstuffed.</summary>
internal sealed record ReceivedMail(string Sender, IReadOnlyList<string> Recipients, byte[] Content);
