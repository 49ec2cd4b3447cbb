using System.Diagnostics;
using CaveComm.Api.Notifications;
using CaveComm.Domain;
using CaveComm.Domain.Freelancers;
using CaveComm.Domain.Identity;
using CaveComm.Domain.Notifications;

namespace CaveComm.Api.OwnAccount;

/// <summary>A letter to somebody about the own account. Address, words and links are looked up and made when it is sent.</summary>
/// <param name="Account">Empty when a new password was asked for under a name that nobody has: then nothing is sent, after the same work.</param>
/// <param name="Reference">Tells letters of one kind apart.</param>
public sealed record MailAccount(Guid Account, AccountLetter Letter, Guid Reference);

public sealed record MailInvitation(Guid Invitation);

public enum AccountLetter
{
    PasswordReset,
    PasswordChanged,
    SecondFactorTurnedOn,
    SecondFactorTurnedOff,
    ApiKeyMade,
    AddressChanged,
    PayoutDestinationSet,
}

/// <summary>
/// Writes to an account's owner, where an address is known: a freelancer's. A new address counts after a day. Whoever sits at a browser in
/// which somebody has just signed in, or stole a token, can change the address without the password; a link for a new password that went there at once would hand over the account.
/// </summary>
internal static class AccountMailing
{
    public static readonly TimeSpan AddressRests = TimeSpan.FromDays(1);

    public static async Task<Mail?> Compose(MailAccount asked, IQuerySession session, AccountLinks links, TimeProvider clock, CancellationToken cancel)
    {
        if (await session.Events.AggregateStreamAsync<Account>(StreamKey.Account(asked.Account), token: cancel) is not { Handle: { } handle } account
            || await session.Events.AggregateStreamAsync<Freelancer>(StreamKey.Freelancer(handle), token: cancel) is not { } freelancer)
        {
            return null;
        }

        var rested = await session.Events.AggregateStreamAsync<Freelancer>(StreamKey.Freelancer(handle), timestamp: clock.GetUtcNow() - AddressRests, token: cancel) is { Exists: true } known
            ? known
            : await session.Events.AggregateStreamAsync<Freelancer>(StreamKey.Freelancer(handle), version: 1, token: cancel);
        var letter = Compose(asked, account, $"Hello {freelancer.DisplayName},", links);
        return letter.To($"account-{asked.Account:N}.{asked.Letter}.{asked.Reference:N}", (rested ?? freelancer).Email, freelancer.DisplayName);
    }

    private static Letter Compose(MailAccount asked, Account account, string hello, AccountLinks links)
    {
        const string NotYou = "If it was not you, ask for a new password at once: that signs everybody out.";
        var askForReset = ("Ask for a new password", links.AskForReset);
        return asked.Letter switch
        {
            AccountLetter.PasswordReset => new(
                "Choose a new password",
                [hello, "Somebody, we hope you, asked for a new password for your account. The link is good for one hour, and once.", "If it was not you, do nothing: your password stays as it is."],
                Button: ("Choose a new password", links.PasswordReset(asked.Account, account.SessionsGeneration))),
            AccountLetter.PasswordChanged => new(
                "Your password was changed", [hello, "The password of your account was changed, and every device was signed out.", NotYou], Button: askForReset),
            AccountLetter.SecondFactorTurnedOn => new(
                "Signing in needs a code from now on", [hello, "Your account asks for a code of your authenticator app from now on, beside the password.", NotYou], Button: askForReset),
            AccountLetter.SecondFactorTurnedOff => new(
                "Signing in needs no code any more", [hello, "Your account asks for the password alone again, and every device was signed out.", NotYou], Button: askForReset),
            AccountLetter.ApiKeyMade => new(
                "A new API key", [hello, "A key was made with which programs can use your account.", "If it was not you, revoke it and choose a new password."], Button: ("Look at the keys", links.Keys)),
            AccountLetter.AddressChanged => new(
                "Your address was changed",
                [hello, "Letters about your account go to another address from tomorrow on, as was asked for in your profile. Until then they come here.", NotYou], Button: askForReset),
            AccountLetter.PayoutDestinationSet => new(
                "Where your payouts go was set", [hello, "In your shop it was set where your payouts are sent; the next ones go there.", $"{NotYou} Then set the destination right."], Button: askForReset),
            _ => throw new UnreachableException(),
        };
    }

    public static Letter Invitation(AccountLinks links, Guid id) => new(
        "You are invited to CaveComm",
        ["Hello,", "you are invited to take commissions here as a freelancer: you get an inbox, templates that customers choose from, and a place for payments.", "The link is good for seven days, and for one account."],
        Button: ("Register", links.Invitation(id)));
}

public static class MailAccountHandler
{
    public static async Task Handle(MailAccount asked, IQuerySession session, IMailSender mails, AccountLinks links, TimeProvider clock, CancellationToken cancel)
    {
        if (await AccountMailing.Compose(asked, session, links, clock, cancel) is { } mail)
        {
            await mails.Send(mail, cancel);
        }
    }
}

public static class MailInvitationHandler
{
    public static async Task Handle(MailInvitation asked, IQuerySession session, IMailSender mails, AccountLinks links, CancellationToken cancel)
    {
        // Withdrawn before it was sent: there is nobody to write to.
        if (await session.LoadAsync<InvitationRecord>($"{asked.Invitation:D}", cancel) is { Email: { } address })
        {
            await mails.Send(AccountMailing.Invitation(links, asked.Invitation).To($"invitation-{asked.Invitation:N}", address, null), cancel);
        }
    }
}
