using CaveComm.Api.Http;
using CaveComm.Api.Http.Idempotency;
using CaveComm.Api.Identity;
using CaveComm.Domain;
using CaveComm.Domain.Identity;
using Microsoft.AspNetCore.Http.HttpResults;

namespace CaveComm.Api.OwnAccount;

/// <param name="Scopes">Of the list that <c>GET /account/keys</c> shows. A form sends each that is ticked.</param>
public sealed record KeyBody(string Name, IReadOnlyList<string>? Scopes);

public sealed record KeyLine(int Number, string Name, IReadOnlyList<string> Scopes);

/// <param name="Scopes">What keys can be good for.</param>
public sealed record KeyList(IReadOnlyList<KeyLine> Items, IReadOnlyList<string> Scopes);

/// <param name="Key">Shown this once.</param>
public sealed record MadeKey(int Number, string Name, IReadOnlyList<string> Scopes, string Key);

/// <summary>Keys with which programs use an account.</summary>
internal static class KeyEndpoints
{
    public const string Path = "/account/keys";

    public static void Map(IEndpointRouteBuilder routes)
    {
        var keys = routes.MapGroup(Path).RequireSignIn();
        keys.MapGet("", Show).WithName("ListApiKeys").Produces<KeyList>();
        keys.MapPost("", Make).RequireRecentSignIn(_ => Path).WithName("MakeApiKey").TakesBody<KeyBody>().KeepsNoAnswer("The answer is a secret: the key, which is shown once.")
            .Produces<MadeKey>(StatusCodes.Status201Created).ProducesProblem(StatusCodes.Status409Conflict);
        keys.MapDelete("/{number:int}", Revoke).WithName("RevokeApiKey").Produces(StatusCodes.Status204NoContent).ProducesProblem(StatusCodes.Status404NotFound);

        // A browser's form knows no DELETE.
        keys.MapPost("/{number:int}/revoke", Revoke).WithName("RevokeApiKeyForm").KeepsNoAnswer("A repeat finds the key revoked and changes nothing.").ExcludeFromDescription();
    }

    private static async Task<IResult> Show(HttpContext http, IDocumentStore store, CancellationToken cancel) =>
        http.Negotiate(await List(http, store, cancel), it => new RazorComponentResult<KeysPage>(new { Keys = it }));

    private static async Task<IResult> Make(HttpContext http, AccountChanges changes, IDocumentStore store, CancellationToken cancel)
    {
        var reading = await http.ReadBody<KeyBody>(cancel);
        if (!reading.IsValid(out var body, out var problem))
        {
            return http.AnswersForm() && reading.Faults is { } shape ? await Again(shape) : problem;
        }

        var (key, number, refusal) = await changes.MakeKey(http.Caller()!, body.Name, body.Scopes ?? [], cancel);
        if (refusal is not null)
        {
            return http.AnswersForm() ? await Again(refusal.Fields?.Aggregate(new Faults(), (all, it) => all.Add(it.Key, it.Value[0])) ?? new Faults().Add("name", refusal.Detail)) : refusal.ToProblem();
        }

        var list = await List(http, store, cancel);
        var made = list.Items.Single(it => it.Number == number);
        return http.AnswersForm()
            ? new RazorComponentResult<KeysPage>(new { Keys = list, Made = key })
            : TypedResults.Json(new MadeKey(number, made.Name, made.Scopes, key!), Json.Options, statusCode: StatusCodes.Status201Created);

        async Task<IResult> Again(Faults faults) => new RazorComponentResult<KeysPage>(new
        {
            Keys = await List(http, store, cancel),
            Faults = faults,
            Name = reading.Entered.GetValueOrDefault("name"),
        })
        { StatusCode = StatusCodes.Status422UnprocessableEntity };
    }

    private static async Task<IResult> Revoke(int number, HttpContext http, AccountHandling handling, CancellationToken cancel)
    {
        var caller = http.Caller()!;
        var decision = await handling.Handle(caller.AccountId, new AccountCommand.RevokeApiKey(number), caller.Actor, cancel);
        return decision.Refusal is { } refusal ? refusal.ToProblem() : http.Done(Path, TypedResults.NoContent());
    }

    private static async Task<KeyList> List(HttpContext http, IDocumentStore store, CancellationToken cancel)
    {
        var account = await store.AccountOf(http.Caller()!, cancel);
        return new KeyList([.. account.ApiKeys.Select(it => new KeyLine(it.Key, it.Value.Name, [.. it.Value.Scopes]))], [.. Scope.Grantable]);
    }
}
