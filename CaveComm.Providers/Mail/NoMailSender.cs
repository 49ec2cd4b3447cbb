using CaveComm.Domain.Notifications;

namespace CaveComm.Providers.Mail;

/// <summary>Stands in where no mail server is configured: mails wait in the queue until there is one.</summary>
internal sealed class NoMailSender : IMailSender
{
    public Task Send(Domain.Notifications.Mail mail, CancellationToken cancel) =>
        throw new MailUnavailableException("No mail server is configured (Smtp:Host and Smtp:From).");
}
