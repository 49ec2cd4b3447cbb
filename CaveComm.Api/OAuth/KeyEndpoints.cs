using CaveComm.Api.Http;
using CaveComm.Api.Http.Idempotency;
using CaveComm.Api.Identity;
using CaveComm.Domain;
using CaveComm.Domain.Identity;

namespace CaveComm.Api.OAuth;

/// <param name="Reason">Why, for the log.</param>
/// <param name="Compromised">Somebody else may have the keys: they are thrown away now, with every access token that they signed.</param>
public sealed record RotateBody(string? Reason = null, bool Compromised = false) : IChecked
{
    public void Check(Faults faults) => faults.LimitText("reason", Reason, 2_000);
}

/// <summary>The keys that tokens are signed with: seen and changed.</summary>
internal static class KeyEndpoints
{
    public const string Path = "/admin/oauth/keys";

    public static void Map(IEndpointRouteBuilder routes)
    {
        routes.MapGet(Path, (HttpContext http, ISigningKeys known) => http.Negotiate(new Page<SigningKeyListing>(known.All(), null), _ => new SeeOther(ClientEndpoints.Path)))
            .RequireRole(Role.Admin).WithName("ListSigningKeys").Produces<Page<SigningKeyListing>>();
        routes.MapPost($"{Path}/rotate", Rotate).RequireRole(Role.Admin).WithName("RotateSigningKeys").KeepsNoAnswer("A second rotation within the hour finds the new key and makes no other.").TakesBody<RotateBody>()
            .Produces<Page<SigningKeyListing>>();
    }

    private static async Task<IResult> Rotate(HttpContext http, ISigningKeys keys, IDocumentStore store, CancellationToken cancel)
    {
        var reading = await http.ReadBody<RotateBody>(cancel);
        if (!reading.IsValid(out var body, out var problem))
        {
            return problem;
        }

        var made = keys.Rotate(body.Compromised);
        var reason = string.IsNullOrWhiteSpace(body.Reason) ? "asked for by an administrator" : body.Reason.Trim();
        await using var session = store.LightweightSession();
        session.LastModifiedBy = $"account:{http.Caller()!.AccountId:D}";
        session.Events.Append(StreamKey.SigningKeys, new SigningKeyEvent.Rotated(made.KeyId, made.SignsFrom, body.Compromised, reason));
        await session.SaveChangesAsync(cancel);
        return http.Done(ClientEndpoints.Path, TypedResults.Json(new Page<SigningKeyListing>(keys.All(), null), Json.Options));
    }
}
