using System.Net.Mail;
using System.Net.Mime;
using System.Text;

namespace CaveComm.Sandbox.Mail;

/// <summary>Sends a look-alike's mails over SMTP, as anybody would.</summary>
internal sealed class MailSender(string host, int port)
{
    /// <exception cref="SmtpException">It was not taken, or it is not known whether it was: send it again with the same Message-ID.</exception>
    public async Task Send(SandboxMail mail, CancellationToken cancel)
    {
        using var message = new MailMessage(mail.From, mail.To)
        {
            Subject = mail.Subject,
            SubjectEncoding = Encoding.UTF8,
            Body = mail.Text,
            BodyEncoding = Encoding.UTF8,
        };
        message.Headers.Add("Message-ID", $"<{mail.MessageId}>");
        if (mail.Html.Length > 0)
        {
            message.AlternateViews.Add(AlternateView.CreateAlternateViewFromString(mail.Html, Encoding.UTF8, MediaTypeNames.Text.Html));
        }

        using var client = new SmtpClient(host, port) { DeliveryFormat = SmtpDeliveryFormat.International };
        await client.SendMailAsync(message, cancel);
    }
}
