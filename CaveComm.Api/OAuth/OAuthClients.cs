using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;
using CaveComm.Api.Identity;
using CaveComm.Domain;
using CaveComm.Domain.Identity;
using Microsoft.Extensions.Options;

namespace CaveComm.Api.OAuth;

/// <summary>A client that an administrator registered, beside its stream; gone once it is removed.</summary>
public sealed record ClientRecord(string Id, ClientFacts Facts, string? SecretDigest, DateTimeOffset RegisteredAt);

/// <summary>A client as the server knows it, wherever it was named.</summary>
/// <param name="IsConfigured">Stands in the configuration, so that it cannot be removed here.</param>
internal sealed record OAuthClient(string Id, ClientFacts Facts, string? SecretDigest, bool IsConfigured, DateTimeOffset? RegisteredAt)
{
    public bool May(string grantType) => Facts.GrantTypes.Contains(grantType);

    /// <summary>Exactly one that was registered; for a program on the person's own machine the port may be another (RFC 8252, 7.3).</summary>
    public bool TakesCodesAt(string redirectUri) => Facts.RedirectUris.Any(it => it == redirectUri || DiffersInPortAlone(it, redirectUri));

    public bool IsSecret(string secret) => SecretDigest is { } digest
        && CryptographicOperations.FixedTimeEquals(Encoding.ASCII.GetBytes(digest), Encoding.ASCII.GetBytes(OAuthClients.Digest(secret)));

    // The rest is compared as text, so that nothing which a parser would put right passes.
    private static bool DiffersInPortAlone(string registered, string asked) =>
        Uri.TryCreate(registered, UriKind.Absolute, out var one) && Uri.TryCreate(asked, UriKind.Absolute, out var other)
        && one.Scheme == Uri.UriSchemeHttp && one.Host is "127.0.0.1" or "[::1]" && other.Host == one.Host
        && asked == $"http://{other.Host}:{other.Port}{registered[(registered.IndexOf('/', "http://".Length) is var path and > 0 ? path : registered.Length)..]}";
}

/// <summary>The clients: our own, those of the configuration, and those that administrators registered. A removed one is gone for all within a second.</summary>
internal sealed class OAuthClients(IDocumentStore store, IOptions<OAuthOptions> options, TimeProvider clock)
{
    private const int MostKept = 1_000;

    private static readonly TimeSpan KeptFor = TimeSpan.FromSeconds(1);

    /// <summary>Programs that sign in with the password; it gets no codes and asks nobody.</summary>
    private static readonly OAuthClient Own = new(
        Tokens.OwnClient, new ClientFacts("CaveComm", [], [GrantType.Refresh], IsPublic: true, IsTrusted: true, string.Join(' ', Scope.Everything), []), null, IsConfigured: true, null);

    private readonly Dictionary<string, OAuthClient> configured = options.Value.Clients
        .Select(it => new OAuthClient(it.ClientId, it.Facts(), it.Secret is { Length: > 0 } secret ? Digest(secret) : null, IsConfigured: true, null))
        .Append(Own).ToDictionary(it => it.Id, StringComparer.Ordinal);

    private readonly ConcurrentDictionary<string, (OAuthClient? Client, DateTimeOffset ReadAt)> kept = new(StringComparer.Ordinal);

    public static string Digest(string secret) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(secret)));

    /// <summary>The id that stands for a client where an account's would.</summary>
    public static Guid AccountOf(string client) => new(SHA256.HashData(Encoding.UTF8.GetBytes($"client:{client}")).AsSpan(0, 16), bigEndian: true);

    public async Task<OAuthClient?> Find(string id, CancellationToken cancel)
    {
        if (configured.TryGetValue(id, out var known))
        {
            return known;
        }

        // Registered ones are called by a Guid: what is none is not looked for, and cannot fill the memory.
        if (!Guid.TryParseExact(id, "D", out _))
        {
            return null;
        }

        var now = clock.GetUtcNow();
        if (!kept.TryGetValue(id, out var found) || now - found.ReadAt >= KeptFor)
        {
            await using var session = store.QuerySession();
            found = (await session.LoadAsync<ClientRecord>(id, cancel) is { } record ? Of(record) : null, now);
            if (kept.Count >= MostKept)
            {
                kept.Clear();
            }

            kept[id] = found;
        }

        return found.Client;
    }

    public async Task<IReadOnlyList<OAuthClient>> All(CancellationToken cancel)
    {
        await using var session = store.QuerySession();
        var registered = await session.QueryAsync<ClientRecord>("order by id desc limit 1000", cancel);
        return [.. configured.Values.OrderBy(it => it.Id, StringComparer.Ordinal), .. registered.Select(Of)];
    }

    /// <summary>Registers a client. A secret is made for one that can keep it; it is told here and never again.</summary>
    public async Task<(string Id, string? Secret, Refusal? Refusal)> Register(ClientFacts facts, Guid by, CancellationToken cancel)
    {
        var now = clock.GetUtcNow();
        var id = $"{Guid.CreateVersion7(now):D}";
        var secret = facts.IsPublic ? null : System.Buffers.Text.Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(32));
        var digest = secret is null ? null : Digest(secret);
        var decision = ClientDecider.Decide(Client.Initial, new ClientCommand.Register(facts, digest));
        if (decision.Refusal is { } refusal)
        {
            return (id, null, refusal);
        }

        await using var session = store.LightweightSession();
        session.LastModifiedBy = $"account:{by:D}";
        session.Events.StartStream<Client>(StreamKey.Client(id), [.. decision.Events]);
        session.Store(new ClientRecord(id, facts, digest, now));
        await session.SaveChangesAsync(cancel);
        kept.TryRemove(id, out _);
        return (id, secret, null);
    }

    /// <summary>Removes a client; its tokens and sessions are worth nothing from then on.</summary>
    public async Task<Refusal?> Remove(string id, string cause, Guid by, CancellationToken cancel)
    {
        if (configured.ContainsKey(id))
        {
            return new(RefusalKind.Conflict, "client-configured", "This client stands in the configuration of the installation. Take it out there.");
        }

        await using var session = store.LightweightSession();
        session.LastModifiedBy = $"account:{by:D}";
        var stream = await session.Events.FetchForWriting<Client>(StreamKey.Client(id), cancel);
        var decision = ClientDecider.Decide(stream.Aggregate ?? Client.Initial, new ClientCommand.Remove(cause));
        if (decision.Events is not [])
        {
            stream.AppendMany(decision.Events);
            session.Delete<ClientRecord>(id);
            await session.SaveChangesAsync(cancel);
            kept.TryRemove(id, out _);
        }

        return decision.Refusal;
    }

    private static OAuthClient Of(ClientRecord it) => new(it.Id, it.Facts, it.SecretDigest, IsConfigured: false, it.RegisteredAt);
}
