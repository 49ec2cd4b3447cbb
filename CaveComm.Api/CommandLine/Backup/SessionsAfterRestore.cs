using CaveComm.Api.Identity;
using CaveComm.Domain;
using CaveComm.Domain.Identity;

namespace CaveComm.Api.CommandLine.Backup;

/// <summary>
/// What was ended since a backup was taken stands in it as it did then: a stolen cookie that its owner signed out, a refresh token that was used. So after a
/// restore everybody signs in anew.
/// </summary>
internal static class SessionsAfterRestore
{
    private const int AtOnce = 200;

    public static async Task EndAll(OperatorStore restored, CancellationToken cancel)
    {
        for (var after = ""; ;)
        {
            await using var session = restored.Store.LightweightSession();
            session.LastModifiedBy = "operator";
            var accounts = await session.QueryAsync<AccountCredentials>("where id > ? order by id limit ?", cancel, after, AtOnce);
            if (accounts is [])
            {
                return;
            }

            foreach (var account in accounts)
            {
                session.Events.Append(StreamKey.Account(Guid.Parse(account.Id)), new AccountEvent.SessionsEnded("a backup was put back"));
            }

            await session.SaveChangesAsync(cancel);
            after = accounts[^1].Id;
        }
    }
}
