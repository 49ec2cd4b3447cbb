using CaveComm.Api.Http;
using CaveComm.Api.Http.Idempotency;
using CaveComm.Api.Identity;
using CaveComm.Domain;
using CaveComm.Domain.Identity;
using CaveComm.Projections.Commissions;
using Microsoft.AspNetCore.Http.HttpResults;

namespace CaveComm.Api.Customers;

public sealed record CustomerCommission(Guid RequestId, string Freelancer, string Template, string Status, DateTimeOffset RequestedAt);

/// <summary>What administrators see of a customer: what there is, not who it is.</summary>
/// <param name="ErasedAt">When the key was destroyed; null while the person is known.</param>
public sealed record CustomerAccount(Guid CustomerId, bool Erased, DateTimeOffset? ErasedAt, IReadOnlyList<CustomerCommission> Commissions);

/// <param name="Reason">Why, for who looks into it later; it shall not name the person.</param>
public sealed record EraseBody(string? Reason) : IChecked
{
    public void Check(Faults faults) => faults.LimitText("reason", Reason, 1_000);
}

/// <summary>A customer, as administrators have to do with one: erased when the person asks for it.</summary>
internal static class AdministerCustomer
{
    public static void Map(IEndpointRouteBuilder routes)
    {
        var customer = routes.MapGroup("/admin/customers/{customerID:guid}").RequireRole(Role.Admin);
        customer.MapGet("", Show).WithName("ShowCustomer").Produces<CustomerAccount>().ProducesProblem(StatusCodes.Status404NotFound);
        customer.MapPost("/erase", Erase)
            .WithName("EraseCustomer")
            .TakesBody<EraseBody>()
            .KeepsItsAnswerAfterSteps()
            .Produces<CustomerAccount>()
            .Produces<CustomerAccount>(StatusCodes.Status202Accepted)
            .ProducesProblem(StatusCodes.Status404NotFound);
    }

    private static async Task<IResult> Show(Guid customerID, HttpContext http, IDocumentStore store, IPersonalData personal, CancellationToken cancel) =>
        await Account(customerID, store, personal, cancel) is { } account
            ? http.Negotiate(account, it => new RazorComponentResult<CustomerPage>(new { Account = it }))
            : Problems.Missing();

    private static async Task<IResult> Erase(
        Guid customerID, HttpContext http, CustomerErasure erasure, IDocumentStore store, IPersonalData personal, CancellationToken cancel)
    {
        var reading = await http.ReadBody<EraseBody>(cancel);
        if (!reading.IsValid(out var body, out var problem))
        {
            return problem;
        }

        var reason = string.IsNullOrWhiteSpace(body.Reason) ? null : body.Reason.Trim();
        return await erasure.Erase(customerID, reason, $"account:{http.Caller()!.AccountId:D}", cancel) is { } complete
            ? http.Done(
                $"/admin/customers/{customerID:D}",
                TypedResults.Json(
                    await Account(customerID, store, personal, cancel), Json.Options, statusCode: complete ? StatusCodes.Status200OK : StatusCodes.Status202Accepted))
            : Problems.Missing();
    }

    private static async Task<CustomerAccount?> Account(Guid customer, IDocumentStore store, IPersonalData personal, CancellationToken cancel)
    {
        if (await personal.Find(StreamKey.Customer(customer), cancel) is not { } subject)
        {
            return null;
        }

        await using var session = store.QuerySession();
        var commissions = await session.CommissionsOf(customer, cancel);
        return new CustomerAccount(
            customer,
            subject.ErasedAt is not null,
            subject.ErasedAt,
            [.. commissions.Select(it => new CustomerCommission(StreamKey.CommissionId(it.Id), it.Freelancer, it.Template, it.Status, it.RequestedAt))]);
    }
}
