using CaveComm.Api.Http;
using CaveComm.Api.Http.Idempotency;
using CaveComm.Domain;
using CaveComm.Domain.Identity;
using Microsoft.AspNetCore.Http.HttpResults;

namespace CaveComm.Api.Identity;

/// <summary>What an account may (spec: memberships.md, "Auth service").</summary>
public sealed record AccountRoles(Guid AccountId, IReadOnlyList<string> Roles);

/// <summary>An account as administrators see it.</summary>
/// <param name="Handle">Null for an account without a shop.</param>
public sealed record AccountSummary(Guid AccountId, string Username, string? Handle, IReadOnlyList<string> Roles);

/// <param name="Reason">Why, in words that an auditor understands; a payment's id where one was the cause.</param>
public sealed record RoleBody(string? Reason) : IChecked
{
    public const int MostReason = 1_000;

    public void Check(Faults faults) => faults.RequireText("reason", Reason, MostReason);
}

public sealed record GrantBody(string? Role, string? Reason) : IChecked
{
    public void Check(Faults faults)
    {
        faults.RequireText("role", Role, Domain.Identity.Role.MaxLength);
        faults.RequireText("reason", Reason, RoleBody.MostReason);
    }
}

/// <summary>Roles of accounts: the contract that memberships use, and the pages for administrators.</summary>
internal static class RoleEndpoints
{
    public const string Accounts = "/admin/accounts";

    public static void Map(IEndpointRouteBuilder routes)
    {
        var roles = routes.MapGroup("/accounts/{accountID:guid}/roles");
        roles.MapGet("", Show).RequireSignIn().WithName("ShowRoles").Produces<AccountRoles>().ProducesProblem(StatusCodes.Status404NotFound);
        Changes(roles.MapPut("/{role}", (Guid accountID, string role, HttpContext http, AccountHandling handling, Accounts accounts, CancellationToken cancel) =>
            Change(accountID, role, isGranted: true, http, handling, accounts, cancel)).WithName("GrantRole"));
        Changes(roles.MapDelete("/{role}", (Guid accountID, string role, HttpContext http, AccountHandling handling, Accounts accounts, CancellationToken cancel) =>
            Change(accountID, role, isGranted: false, http, handling, accounts, cancel)).WithName("RevokeRole"));

        var administered = routes.MapGroup(Accounts).RequireRole(Role.Admin);
        administered.MapGet("", Find).WithName("FindAccount").Produces<Page<AccountSummary>>();
        administered.MapGet("/{accountID:guid}", ShowAccount).WithName("AdministerAccount").Produces<AccountSummary>().ProducesProblem(StatusCodes.Status404NotFound);

        // A browser's form knows no PUT and no DELETE.
        administered.MapPost("/{accountID:guid}/roles", Grant).WithName("GrantRoleForm").KeepsItsAnswerAfterSteps().TakesBody<GrantBody>().ExcludeFromDescription();
        administered.MapPost("/{accountID:guid}/roles/{role}/revoke", Revoke).WithName("RevokeRoleForm").KeepsItsAnswerAfterSteps().TakesBody<RoleBody>().ExcludeFromDescription();

        static void Changes(RouteHandlerBuilder route) => route.RequireRole(Role.Admin).TakesBody<RoleBody>()
            .Produces<AccountRoles>().ProducesProblem(StatusCodes.Status404NotFound).ProducesProblem(StatusCodes.Status409Conflict);
    }

    private static async Task<IResult> Show(Guid accountID, HttpContext http, Accounts accounts, CancellationToken cancel)
    {
        var caller = http.Caller()!;
        return (caller.IsAdmin || caller.AccountId == accountID) && await accounts.Find(accountID, cancel) is { } found
            ? TypedResults.Json(Of(found), Json.Options)
            : Problems.Missing();
    }

    private static async Task<IResult> Change(
        Guid accountID, string role, bool isGranted, HttpContext http, AccountHandling handling, Accounts accounts, CancellationToken cancel)
    {
        // A DELETE seldom has a body: its reason may stand in the address.
        var reason = http.Request.Query["reason"].ToString();
        if (reason.Length == 0)
        {
            var reading = await http.ReadBody<RoleBody>(cancel);
            if (!reading.IsValid(out var body, out var problem))
            {
                return problem;
            }

            reason = body.Reason!;
        }
        else if (new RoleBody(reason) is var inAddress && Checked(inAddress) is { } fault)
        {
            return fault;
        }

        return await Change(accountID, role, isGranted, reason, http, handling, cancel) ?? Answer(await accounts.Find(accountID, cancel));
    }

    private static async Task<IResult> Grant(Guid accountID, HttpContext http, AccountHandling handling, Accounts accounts, CancellationToken cancel)
    {
        var reading = await http.ReadBody<GrantBody>(cancel);
        return reading.IsValid(out var body, out var problem)
            ? await Change(accountID, body.Role!.Trim(), isGranted: true, body.Reason!, http, handling, cancel)
                ?? http.Done($"{Accounts}/{accountID:D}", Answer(await accounts.Find(accountID, cancel)))
            : problem;
    }

    private static async Task<IResult> Revoke(Guid accountID, string role, HttpContext http, AccountHandling handling, Accounts accounts, CancellationToken cancel)
    {
        var reading = await http.ReadBody<RoleBody>(cancel);
        return reading.IsValid(out var body, out var problem)
            ? await Change(accountID, role, isGranted: false, body.Reason!, http, handling, cancel)
                ?? http.Done($"{Accounts}/{accountID:D}", Answer(await accounts.Find(accountID, cancel)))
            : problem;
    }

    /// <returns>What stands in the way; null when it is done.</returns>
    private static async Task<IResult?> Change(Guid account, string role, bool isGranted, string reason, HttpContext http, AccountHandling handling, CancellationToken cancel)
    {
        var caller = http.Caller()!;
        if (!isGranted && role == Role.Admin && account == caller.AccountId)
        {
            return Problems.Of("own-role", "An administrator cannot stop being one by the own hand; ask another.");
        }

        AccountCommand command = isGranted ? new AccountCommand.GrantRole(role, reason.Trim()) : new AccountCommand.RevokeRole(role, reason.Trim());
        return (await handling.Handle(account, command, $"account:{caller.AccountId:D}", cancel)).Refusal?.ToProblem();
    }

    private static async Task<IResult> Find(HttpContext http, AccountHandling handling, Accounts accounts, string? name, CancellationToken cancel)
    {
        var found = name is { Length: > 0 } && await handling.FindByName(name, cancel) is { } id ? await accounts.Find(id, cancel) : null;
        var page = new Page<AccountSummary>(found is null ? [] : [Summary(found)], null);
        return http.Negotiate(page, it => new RazorComponentResult<AccountsPage>(new { Found = it.Items, Name = name }));
    }

    private static async Task<IResult> ShowAccount(Guid accountID, HttpContext http, Accounts accounts, CancellationToken cancel) =>
        await accounts.Find(accountID, cancel) is { } found
            ? http.Negotiate(Summary(found), it => new RazorComponentResult<AccountRolesPage>(new { Account = it }))
            : Problems.Missing();

    private static ProblemHttpResult? Checked(RoleBody body)
    {
        var faults = new Faults();
        body.Check(faults);
        return faults.IsEmpty ? null : faults.ToProblem();
    }

    private static IResult Answer(Caller? account) => account is null ? Problems.Missing() : TypedResults.Json(Of(account), Json.Options);

    private static AccountRoles Of(Caller account) => new(account.AccountId, [.. account.Roles.Order(StringComparer.Ordinal)]);

    private static AccountSummary Summary(Caller account) => new(account.AccountId, account.Username, account.Handle, [.. account.Roles.Order(StringComparer.Ordinal)]);
}
