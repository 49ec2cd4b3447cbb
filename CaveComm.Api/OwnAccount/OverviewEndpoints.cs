using CaveComm.Api.Http;
using CaveComm.Api.Identity;
using CaveComm.Domain;
using CaveComm.Domain.Identity;
using Microsoft.AspNetCore.Http.HttpResults;

namespace CaveComm.Api.OwnAccount;

/// <summary>An account as its owner sees it.</summary>
/// <param name="RecoveryCodesLeft">0 without a second factor.</param>
public sealed record AccountOverview(Guid AccountId, string Username, string? Handle, IReadOnlyList<string> Roles, bool SecondFactor, int RecoveryCodesLeft, int ApiKeys);

internal static class OverviewEndpoints
{
    public const string Path = "/account";

    public static void Map(IEndpointRouteBuilder routes) =>
        routes.MapGet(Path, Show).RequireSignIn().WithName("ShowAccount").Produces<AccountOverview>();

    private static async Task<IResult> Show(HttpContext http, IDocumentStore store, CancellationToken cancel)
    {
        var caller = http.Caller()!;
        var account = await store.AccountOf(caller, cancel);
        return http.Negotiate(
            new AccountOverview(caller.AccountId, account.Username, account.Handle, [.. account.Roles], account.HasSecondFactor, account.RecoveryCodesLeft, account.ApiKeys.Count),
            it => new RazorComponentResult<AccountPage>(new { Account = it }));
    }

    /// <summary>As it stands now, with what the caller did a moment ago on whatever node.</summary>
    public static async Task<Account> AccountOf(this IDocumentStore store, Caller caller, CancellationToken cancel)
    {
        await using var session = store.QuerySession();
        return await session.Events.AggregateStreamAsync<Account>(StreamKey.Account(caller.AccountId), token: cancel) ?? Account.Initial;
    }
}
