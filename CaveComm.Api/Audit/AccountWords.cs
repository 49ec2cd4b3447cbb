using System.Diagnostics;
using CaveComm.Domain.Identity;

namespace CaveComm.Api.Audit;

/// <summary>What happened to accounts, at the door and to invitations, in one sentence each.</summary>
internal static class AccountWords
{
    public static string Of(AccountEvent happened) => happened switch
    {
        AccountEvent.AccountRegistered e => $"{e.Username} registered.",
        AccountEvent.RoleGranted e => $"The role {e.Role} was granted: {e.Cause}",
        AccountEvent.RoleRevoked e => $"The role {e.Role} was revoked: {e.Cause}",
        AccountEvent.PasswordChanged e => $"The password was changed, {e.Cause}. Every session of before is over.",
        AccountEvent.PasswordRehashed => "The password, which is the same, was hashed anew at today's cost.",
        AccountEvent.SecondFactorTurnedOn e => $"The second factor was turned on, {e.Cause}.",
        AccountEvent.SecondFactorTurnedOff e => $"The second factor was turned off, {e.Cause}. Every session of before is over.",
        AccountEvent.RecoveryCodesMade e => $"{e.Count} recovery codes were made; those of before are void.",
        AccountEvent.RecoveryCodeUsed => "A recovery code was used to sign in.",
        AccountEvent.SecondFactorCodeUsed => "A code of the authenticator app was used to sign in.",
        AccountEvent.ApiKeyMade e => $"API key {e.Key}, \u201c{e.Name}\u201d, was made for {e.Scope.Replace(" ", ", ", StringComparison.Ordinal)}.",
        AccountEvent.ApiKeyRevoked e => $"API key {e.Key} was revoked.",
        AccountEvent.SessionsEnded e => $"Every session was ended: {e.Cause}.",
        _ => throw new UnreachableException($"There are no words for {happened.GetType().Name}."),
    };

    public static string Of(SignInEvent happened) => happened switch
    {
        SignInEvent.Refused { Account: { } account } e => $"A sign-in to account {account} was refused: {e.Reason}.",
        SignInEvent.Refused e => $"A sign-in was refused: {e.Reason}.",
        SignInEvent.ClientRefused { Client: { } client } e => $"The client {client} was refused: {e.Reason}.",
        SignInEvent.ClientRefused e => $"A client was refused: {e.Reason}.",
        SignInEvent.Limited e => $"Too many wrong sign-ins by {e.Limit}: further ones are counted and not listed until it has been quiet.",
        _ => throw new UnreachableException($"There are no words for {happened.GetType().Name}."),
    };

    public static string Of(InvitationEvent happened) => happened switch
    {
        InvitationEvent.Invited e => $"An invitation was sent, good until {e.ExpiresAt.UtcDateTime:yyyy-MM-dd HH:mm} UTC.",
        InvitationEvent.InvitationAccepted e => $"Account {e.Account} registered with it.",
        InvitationEvent.InvitationWithdrawn => "It was withdrawn.",
        _ => throw new UnreachableException($"There are no words for {happened.GetType().Name}."),
    };
}
