namespace CaveComm.Domain.Notifications;

/// <summary>Hands a mail to the mail server.</summary>
public interface IMailSender
{
    /// <exception cref="MailUnavailableException">The server could not be reached or did not answer in time; sent again later with the same Message-ID.</exception>
    /// <exception cref="MailRefusedException">The server will not take this mail.</exception>
    Task Send(Mail mail, CancellationToken cancel);
}

/// <summary>A mail as text and HTML.</summary>
/// <param name="MessageId">Left part of the Message-ID, made of stream and purpose, so that a second copy can be told from a second mail.</param>
public sealed record Mail(string MessageId, string To, string? ToName, string Subject, string Text, string Html);

public class MailUnavailableException(string message, Exception? inner = null) : Exception(message, inner)
{
    /// <summary>How long to leave the mail server alone; null when nobody said.</summary>
    public TimeSpan? RetryAfter { get; init; }
}

public class MailRefusedException(string message, Exception? inner = null) : Exception(message, inner);
