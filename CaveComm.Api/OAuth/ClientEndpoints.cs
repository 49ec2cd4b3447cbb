using CaveComm.Api.Http;
using CaveComm.Api.Http.Idempotency;
using CaveComm.Api.Identity;
using CaveComm.Domain;
using CaveComm.Domain.Identity;
using Microsoft.AspNetCore.Http.HttpResults;

namespace CaveComm.Api.OAuth;

/// <param name="GrantTypes">authorization_code and refresh_token when left out.</param>
/// <param name="Public">Runs where people can look into it, and so gets no secret.</param>
/// <param name="Trusted">People are not asked, unless it is public and its codes go to a program on their device: any other there can take its name.</param>
/// <param name="Scopes">The most that it may be given; all that it can be when left out.</param>
/// <param name="Roles">What it is when it acts as itself: <c>auditor</c>, or nothing.</param>
public sealed record ClientBody(
    string Name,
    IReadOnlyList<string>? RedirectUris = null,
    IReadOnlyList<string>? GrantTypes = null,
    bool Public = false,
    bool Trusted = false,
    IReadOnlyList<string>? Scopes = null,
    IReadOnlyList<string>? Roles = null)
{
    internal ClientFacts Facts() => ClientDefaults.Facts(Name, RedirectUris, GrantTypes, Public, Trusted, Scopes, Roles);
}

/// <param name="Reason">Why, for the log.</param>
public sealed record ReasonBody(string? Reason = null) : IChecked
{
    public void Check(Faults faults) => faults.LimitText("reason", Reason, 2_000);
}

/// <summary>The new client; its secret is shown here and never again.</summary>
#pragma warning disable IDE1006, CA1707 // The names of RFC 7591.
public sealed record ClientAnswer(string client_id, string? client_secret);
#pragma warning restore IDE1006, CA1707

public sealed record ClientListing(
    string ClientId,
    string Name,
    IReadOnlyList<string> RedirectUris,
    IReadOnlyList<string> GrantTypes,
    bool Public,
    bool Trusted,
    IReadOnlyList<string> Scopes,
    IReadOnlyList<string> Roles,
    bool Configured,
    DateTimeOffset? RegisteredAt);

/// <summary>Administrators register the programs that may ask people for access.</summary>
internal static class ClientEndpoints
{
    public const string Path = "/admin/oauth/clients";

    public static void Map(IEndpointRouteBuilder routes)
    {
        var clients = routes.MapGroup(Path).RequireRole(Role.Admin);
        routes.MapGet(Path, List).RequireRole(Role.Admin).WithName("ListClients").Produces<Page<ClientListing>>();
        clients.MapGet("/{clientID}", Show).WithName("ShowClient").Produces<ClientListing>().ProducesProblem(StatusCodes.Status404NotFound);
        routes.MapPost(Path, Register).RequireRole(Role.Admin).WithName("RegisterClient").KeepsNoAnswer("The answer holds a secret that is shown once.").TakesBody<ClientBody>()
            .Produces<ClientAnswer>(StatusCodes.Status201Created).ProducesProblem(StatusCodes.Status422UnprocessableEntity);
        clients.MapPost("/{clientID}/remove", Remove).WithName("RemoveClientByForm").KeepsNoAnswer("A client is removed once, however often it is asked.").TakesBody<ReasonBody>()
            .Produces(StatusCodes.Status204NoContent).ProducesProblem(StatusCodes.Status404NotFound);
        clients.MapDelete("/{clientID}", Remove).WithName("RemoveClient").Produces(StatusCodes.Status204NoContent).ProducesProblem(StatusCodes.Status404NotFound);
    }

    private static async Task<IResult> List(HttpContext http, OAuthClients clients, ISigningKeys keys, CancellationToken cancel)
    {
        var all = (await clients.All(cancel)).Select(Listing).ToList();
        return http.Negotiate(new Page<ClientListing>(all, null), it => new RazorComponentResult<ClientsPage>(new { Clients = it.Items, Keys = keys.All() }));
    }

    private static async Task<IResult> Show(string clientID, OAuthClients clients, CancellationToken cancel) =>
        await clients.Find(clientID, cancel) is { } client ? TypedResults.Json(Listing(client), Json.Options) : Problems.Of("no-such-client", "There is no such client.");

    private static async Task<IResult> Register(HttpContext http, OAuthClients clients, ISigningKeys keys, CancellationToken cancel)
    {
        var isForm = http.AnswersForm();
        var reading = await http.ReadBody<ClientBody>(cancel);
        if (!reading.IsValid(out var body, out var problem))
        {
            return isForm && reading.Faults is { } faults ? await Again(faults.ByField) : problem;
        }

        // A form has one field for several lines.
        var sent = isForm ? body with { RedirectUris = [.. (body.RedirectUris ?? []).SelectMany(it => it.Split(['\r', '\n', ' '], StringSplitOptions.RemoveEmptyEntries))] } : body;
        var (id, secret, refusal) = await clients.Register(sent.Facts(), http.Caller()!.AccountId, cancel);
        if (refusal is not null)
        {
            return isForm && refusal.Fields is { } fields ? await Again(fields) : refusal.ToProblem();
        }

        var answer = new ClientAnswer(id, secret);
        return isForm
            ? new RazorComponentResult<ClientsPage>(new { Clients = (await clients.All(cancel)).Select(Listing).ToList(), Keys = keys.All(), Made = answer }) { StatusCode = StatusCodes.Status201Created }
            : TypedResults.Created($"{Path}/{id}", answer);

        async Task<IResult> Again(IReadOnlyDictionary<string, string[]> faults) =>
            new RazorComponentResult<ClientsPage>(new { Clients = (await clients.All(cancel)).Select(Listing).ToList(), Keys = keys.All(), Faults = faults, Entered = reading.Entered })
            {
                StatusCode = StatusCodes.Status422UnprocessableEntity,
            };
    }

    private static async Task<IResult> Remove(HttpContext http, string clientID, OAuthClients clients, CancellationToken cancel)
    {
        var reading = await http.ReadBody<ReasonBody>(cancel);
        if (!reading.IsValid(out var body, out var problem))
        {
            return problem;
        }

        var cause = string.IsNullOrWhiteSpace(body.Reason) ? "removed by an administrator" : body.Reason.Trim();
        var refusal = await clients.Remove(clientID, cause, http.Caller()!.AccountId, cancel);
        return refusal is null ? http.Done(Path, TypedResults.NoContent()) : refusal.ToProblem();
    }

    private static ClientListing Listing(OAuthClient it) => new(
        it.Id, it.Facts.Name, it.Facts.RedirectUris, it.Facts.GrantTypes, it.Facts.IsPublic, it.Facts.IsTrusted, Scope.Read(it.Facts.Scope), it.Facts.Roles, it.IsConfigured, it.RegisteredAt);
}
