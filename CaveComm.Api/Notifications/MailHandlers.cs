using CaveComm.Domain;
using CaveComm.Domain.Freelancers;
using CaveComm.Domain.Notifications;
using CaveComm.Projections.Commissions;

namespace CaveComm.Api.Notifications;

/// <summary>Writes to a customer. A mail whose acceptance is unknown is sent again with the same Message-ID.</summary>
public static partial class MailCustomerHandler
{
    public static async Task Handle(MailCustomer asked, IQuerySession session, IMailSender mails, Links links, ILogger<MailCustomer> log, CancellationToken cancel)
    {
        if (await session.Events.AggregateStreamAsync<CommissionDetail>(StreamKey.Commission(asked.Commission), token: cancel) is not { } detail)
        {
            return;
        }

        if (detail.Customer.WasErased())
        {
            LogErased(log, asked.Letter, asked.Commission);
            return;
        }

        var freelancer = await session.Events.AggregateStreamAsync<Freelancer>(StreamKey.Freelancer(detail.State.Freelancer), token: cancel) ?? Freelancer.Initial;
        var letter = CustomerLetters.Compose(asked.Letter, detail, freelancer.DisplayName, links);
        await mails.Send(letter.To(MailId.Of(asked.Commission, "customer", asked.Letter, asked.Number), detail.Customer.Email, detail.Customer.Name), cancel);
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "Sent no letter {Letter} about commission {Commission}: its customer was erased")]
    private static partial void LogErased(ILogger log, CustomerLetter letter, Guid commission);
}

/// <summary>Writes to a freelancer.</summary>
public static class MailFreelancerHandler
{
    public static async Task Handle(MailFreelancer asked, IQuerySession session, IMailSender mails, Links links, CancellationToken cancel)
    {
        if (await session.Events.AggregateStreamAsync<CommissionDetail>(StreamKey.Commission(asked.Commission), token: cancel) is not { } detail
            || await session.Events.AggregateStreamAsync<Freelancer>(StreamKey.Freelancer(detail.State.Freelancer), token: cancel) is not { } freelancer)
        {
            return;
        }

        var letter = FreelancerLetters.Compose(asked.Letter, detail, freelancer, links);
        await mails.Send(letter.To(MailId.Of(asked.Commission, "freelancer", asked.Letter, asked.Number), freelancer.Email, freelancer.DisplayName), cancel);
    }
}

internal static class MailId
{
    /// <summary>Stream and purpose: a second copy of a mail carries the same id, a second mail another.</summary>
    public static string Of<TLetter>(Guid commission, string recipient, TLetter letter, int number)
        where TLetter : struct, Enum => $"commission-{commission:N}.{recipient}.{letter}.{number}";
}
