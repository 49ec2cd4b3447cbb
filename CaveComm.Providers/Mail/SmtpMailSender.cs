using System.Net;
using System.Net.Mail;
using System.Net.Mime;
using System.Text;
using CaveComm.Domain.Notifications;
using CaveComm.Providers.Http;
using Microsoft.Extensions.Logging;

namespace CaveComm.Providers.Mail;

/// <summary>Hands mails to an SMTP server, one connection for each.</summary>
/// <remarks>
/// System.Net.Mail speaks STARTTLS but not TLS from the first byte (port 465). A mail whose acceptance is unknown comes out as unavailable and is
/// sent again with the same Message-ID.
/// </remarks>
internal sealed partial class SmtpMailSender(SmtpOptions options, TimeProvider clock, ILogger<SmtpMailSender> log) : IMailSender, IDisposable
{
    private readonly MailAddress from = new(options.From);
    private readonly ProviderLine line = new("smtp", options.Limits, clock, log);

    public ProviderState State => line.State;

    public void Dispose() => line.Dispose();

    public async Task Send(Domain.Notifications.Mail mail, CancellationToken cancel)
    {
        using var message = Compose(mail, from);
        if (await line.Enter(cancel) is var (why, wait))
        {
            throw new MailUnavailableException($"The mail was not handed over: {why}.") { RetryAfter = wait };
        }

        try
        {
            await HandOver(mail, message, cancel);
        }
        catch (Exception abandoned) when (abandoned is not (MailUnavailableException or MailRefusedException))
        {
            line.Circuit.Abandoned();
            throw;
        }
        finally
        {
            line.Leave();
        }
    }

    private async Task HandOver(Domain.Notifications.Mail mail, MailMessage message, CancellationToken cancel)
    {
        using var smtp = new SmtpClient(options.Host, options.Port)
        {
            EnableSsl = options.Security == SmtpSecurity.StartTls,
            Credentials = options.User is null ? null : new NetworkCredential(options.User, options.Password),
        };
        using var limit = new CancellationTokenSource(options.Limits.Timeout, clock);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancel);
        var started = clock.GetTimestamp();
        try
        {
            await smtp.SendMailAsync(message, both.Token);
        }
        catch (OperationCanceledException silence) when (!cancel.IsCancellationRequested)
        {
            line.Circuit.Failed();
            Failed(log, mail.MessageId, "no answer in time");
            throw new MailUnavailableException($"The mail server {options.Host} did not answer in time.", silence);
        }
        catch (SmtpException refused) when (IsPermanent(refused))
        {
            line.Circuit.Succeeded();
            Failed(log, mail.MessageId, $"refused with {(int)refused.StatusCode}");
            throw new MailRefusedException($"The mail server refused the mail ({(int)refused.StatusCode}).", refused);
        }
        catch (Exception broken) when (broken is SmtpException or IOException or InvalidOperationException && !cancel.IsCancellationRequested)
        {
            // A server that puts this mail off has answered; only silence and its own farewell (421) count against it.
            Note(broken is SmtpException { StatusCode: > 0 and not SmtpStatusCode.ServiceNotAvailable });
            Failed(log, mail.MessageId, broken is SmtpException { StatusCode: > 0 } told ? $"put off with {(int)told.StatusCode}" : "no connection");
            throw new MailUnavailableException($"The mail server {options.Host} did not take the mail.", broken);
        }

        line.Circuit.Succeeded();
        Sent(log, mail.MessageId, clock.GetElapsedTime(started).TotalMilliseconds);
    }

    private void Note(bool answered)
    {
        if (answered)
        {
            line.Circuit.Succeeded();
        }
        else
        {
            line.Circuit.Failed();
        }
    }

    internal static MailMessage Compose(Domain.Notifications.Mail mail, MailAddress from)
    {
        // Ids are made by our own code; anything else than plain signs in one is a mistake of ours.
        if (mail.MessageId is "" || mail.MessageId.Any(sign => sign is <= ' ' or >= (char)0x7f or '<' or '>' or '@' or '"' or '(' or ')' or ',' or ';' or '\\'))
        {
            throw new ArgumentException("The left part of a Message-ID holds letters, digits and plain signs only.", nameof(mail));
        }

        if (mail.To.Any(char.IsControl) || !MailAddress.TryCreate(mail.To, OneLine(mail.ToName), Encoding.UTF8, out var to))
        {
            throw new MailRefusedException("The recipient's address is no mail address.");
        }

        var message = new MailMessage(from, to)
        {
            Subject = OneLine(mail.Subject),
            SubjectEncoding = Encoding.UTF8,
            HeadersEncoding = Encoding.UTF8,
            Headers = { { "Message-ID", $"<{mail.MessageId}@{from.Host}>" }, { "Auto-Submitted", "auto-generated" } },
        };

        // Text first: of two alternatives a mail program shows the last one that it can. Base64, so that no relay reflows a line or a dot.
        message.AlternateViews.Add(View(mail.Text, MediaTypeNames.Text.Plain));
        message.AlternateViews.Add(View(mail.Html, MediaTypeNames.Text.Html));
        return message;
    }

    private static AlternateView View(string content, string mediaType)
    {
        var view = AlternateView.CreateAlternateViewFromString(content, Encoding.UTF8, mediaType);
        view.TransferEncoding = TransferEncoding.Base64;
        return view;
    }

    /// <summary>Names and subjects hold customers' words; a line break in one would begin a header of theirs.</summary>
    private static string OneLine(string? text) =>
        text is null ? "" : string.Join(' ', new string([.. text.Select(sign => char.IsControl(sign) || sign is '\u2028' or '\u2029' ? ' ' : sign)])
            .Split(' ', StringSplitOptions.RemoveEmptyEntries));

    /// <summary>
    /// A 5xx about this mail: at RCPT, or one of the 55x codes that MAIL and DATA answer. Other 5xx speak of the session or the login (530, 535),
    /// which the operator can mend.
    /// </summary>
    private static bool IsPermanent(SmtpException refused) => refused switch
    {
        SmtpFailedRecipientException => (int)refused.StatusCode is >= 500 and not (530 or 534 or 535 or 538),
        _ => (int)refused.StatusCode is >= 550 and <= 559,
    };

    [LoggerMessage(EventId = 4011, EventName = "MailSent", Level = LogLevel.Information, Message = "smtp took {MessageId} in {DurationMs:0.0} ms")]
    private static partial void Sent(ILogger log, string messageId, double durationMs);

    [LoggerMessage(EventId = 4012, EventName = "MailFailed", Level = LogLevel.Warning, Message = "smtp did not take {MessageId}: {Reason}")]
    private static partial void Failed(ILogger log, string messageId, string reason);
}
