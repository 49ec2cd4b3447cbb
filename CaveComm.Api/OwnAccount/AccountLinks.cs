using System.Globalization;
using CaveComm.Api.Identity;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.AspNetCore.WebUtilities;

namespace CaveComm.Api.OwnAccount;

/// <summary>Links in mails that let somebody choose a password or register. Nothing of them is stored: who reads the database cannot make one.</summary>
public sealed class AccountLinks(IDataProtectionProvider protection, Links links, TimeProvider clock)
{
    public static readonly TimeSpan ResetLife = TimeSpan.FromHours(1);
    public static readonly TimeSpan InvitationLife = TimeSpan.FromDays(7);

    private readonly TimedSeal resets = new(protection, "CaveComm.PasswordReset", clock);
    private readonly TimedSeal invitations = new(protection, "CaveComm.Invitation", clock);

    /// <summary>Good once: with the new password the account's generation is another.</summary>
    /// <param name="generation">The account's <see cref="Domain.Identity.Account.SessionsGeneration"/>.</param>
    public Uri PasswordReset(Guid account, int generation)
    {
        var token = resets.Close(ResetLife, $"{account:N}", generation.ToString(CultureInfo.InvariantCulture));
        return links.To(QueryHelpers.AddQueryString(PasswordResetEndpoints.NewPath[1..], "token", token));
    }

    /// <returns>Null when it is forged or its time is over.</returns>
    public (Guid Account, int Generation)? ReadPasswordReset(string? token) => resets.Open(token) is [var account, var generation]
        ? (Guid.ParseExact(account, "N"), int.Parse(generation, CultureInfo.InvariantCulture))
        : null;

    public Uri Invitation(Guid id) => links.To(QueryHelpers.AddQueryString(RegisterEndpoints.Path[1..], "invitation", invitations.Close(InvitationLife, $"{id:N}")));

    public Guid? ReadInvitation(string? token) => invitations.Open(token) is [var id] ? Guid.ParseExact(id, "N") : null;

    public Uri AskForReset => links.To(PasswordResetEndpoints.Path[1..]);

    public Uri Overview => links.To(OverviewEndpoints.Path[1..]);

    public Uri Keys => links.To(KeyEndpoints.Path[1..]);
}
