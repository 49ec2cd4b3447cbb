using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using CaveComm.Api.Identity;
using CaveComm.Domain;
using CaveComm.Domain.Identity;
using CaveComm.Projections.Commissions;
using CaveComm.Tests.OAuth;
using CaveComm.Tests.Support;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.IdentityModel.JsonWebTokens;

namespace CaveComm.Tests.Flow;

[CollectionDefinition(nameof(AccessCallers))]
public sealed class AccessCallersCollection : ICollectionFixture<AccessCallers>;

/// <summary>An office with one of everything that a route can name, and one of everybody who may come.</summary>
public sealed partial class AccessCallers : IAsyncLifetime
{
    private readonly Dictionary<string, string> named = new(StringComparer.Ordinal);

    public AccessCallers()
    {
        foreach (var (name, value) in OAuthTalk.Clients)
        {
            Office.Extra[name] = value;
        }

        Office.Extra["CaveComm:TrustedProxies"] = "127.0.0.1"; // So that a request can come over https.
    }

    public Office Office { get; } = new();

    /// <summary>A freelancer who is auditor and administrator too.</summary>
    public (string Handle, string Password) Keeper { get; } = ("keeper", "velvet-Anchor-6-harbour");

    /// <summary>What stands in a route's braces, in the keeper's shop.</summary>
    internal IReadOnlyDictionary<string, string> OfKeeper { get; private set; } = new Dictionary<string, string>();

    /// <summary>In the order of the table's columns.</summary>
    internal IReadOnlyList<AccessCaller> All { get; private set; } = [];

    public async ValueTask InitializeAsync()
    {
        await Office.InitializeAsync();
        var keeperClient = await KeeperOfAllRoles();
        var (mira, kept) = (await Delivered(new Story(Office)), await Delivered(new Story(Office, (Keeper.Handle, keeperClient))));
        var letter = await Office.Dead("It was refused.");
        (await Office.Admin.PostAsJsonAsync("admin/projections/InboxProjection/rebuild", new { reason = "There has to be one." })).EnsureSuccessStatusCode();
        named["id"] = $"{letter}";
        named["purchase"] = $"{mira.RequestId}";
        named["name"] = "InboxProjection";
        named["code"] = "invalid";
        named["number"] = "1";
        named["documentName"] = "v1";
        named["provider"] = "stripe";
        named["key"] = $"commission:{mira.RequestId}";
        named["customerID"] = $"{await CustomerOf(mira)}";

        named["session"] = $"{SessionOf(await Office.SignIn(Office.Mira))}";
        named["role"] = "plan:gold";
        named["accountID"] = $"{await Office.Services.GetRequiredService<AccountHandling>().FindByName(Office.Mira.Handle, CancellationToken.None)}";
        named["invitation"] = await Made("invitations", new { email = "guest@people.example" }, "id");
        named["clientID"] = await Made("admin/oauth/clients", new { name = "An app", redirectUris = new[] { "https://app.example/callback" } }, "client_id");

        var places = await Places(mira, Office.Mira.Handle);
        OfKeeper = await Places(kept, Keeper.Handle);
        All =
        [
            new("anonymous", Office.Anonymous, places),
            new("customer", Office.Anonymous, await Links(mira, places)),
            new("other freelancer", Office.Second, places),
            new("owner", Office.Freelancer, places),
            new("auditor", Office.Auditor, places),
            new("admin", Office.Admin, places),
            .. await Keys(keeperClient, OfKeeper),
        ];
    }

    public async ValueTask DisposeAsync() => await Office.DisposeAsync();

    /// <summary>A freelancer who is auditor and administrator too: what a key of such a one cannot do, its scope forbids.</summary>
    private async Task<HttpClient> KeeperOfAllRoles()
    {
        using var registered = await Office.Anonymous.PostAsJsonAsync("freelancer/register", new { handle = Keeper.Handle, displayName = "Keeper", email = "keeper@cavecomm.example", password = Keeper.Password });
        var account = (Guid)(await registered.Content.ReadFromJsonAsync<JsonObject>())!["accountId"]!;
        foreach (var role in new[] { Role.Admin, Role.Auditor })
        {
            await Office.Services.GetRequiredService<AccountHandling>().Handle(account, new AccountCommand.GrantRole(role, "has to look after all"), "system", CancellationToken.None);
        }

        var client = Office.Client(await Office.SignIn(Keeper));
        (await client.PostAsync($"freelancer/{Keeper.Handle}/open", null)).Dispose();
        return client;
    }

    private async Task<Guid?> CustomerOf(Story story)
    {
        await using var session = Office.Store.QuerySession();
        return (await session.LoadAsync<InboxItem>(StreamKey.Commission(story.RequestId)))?.CustomerId;
    }

    private static async Task<Story> Delivered(Story story)
    {
        await (await (await story.Publish("upFront", "stripe")).Request("stripe")).Accept();
        await story.Reaches("awaitingPayment");
        await story.Pay();
        await story.Reaches("inProgress");
        await story.Upload();
        await Eventually.Holds("it is delivered", async () => (string)(await story.Detail())["status"]! is "delivered" or "paidOut");
        return story;
    }

    /// <summary>What stands in a route's braces, for somebody without a link.</summary>
    private async Task<IReadOnlyDictionary<string, string>> Places(Story story, string handle) => new Dictionary<string, string>(named, StringComparer.Ordinal)
    {
        ["freelancer"] = handle,
        ["requestID"] = $"{story.RequestId}",
        ["templateName"] = story.Template,
        ["token"] = "guessed",
        ["fileId"] = (string)(await story.Detail())["files"]![0]!["fileId"]!,
    };

    private async Task<IReadOnlyDictionary<string, string>> Links(Story story, IReadOnlyDictionary<string, string> places)
    {
        var page = (await Office.Anonymous.GetFromJsonAsync<JsonObject>(story.StatusUrl))!;
        return new Dictionary<string, string>(places, StringComparer.Ordinal)
        {
            ["token"] = new Uri((string)page["downloadUrl"]!).Segments[^1],
            ["?token"] = Query().Match(story.StatusUrl).Groups[1].Value,
        };
    }

    /// <summary>One caller for each scope that a key can have.</summary>
    private async Task<IReadOnlyList<AccessCaller>> Keys(HttpClient owner, IReadOnlyDictionary<string, string> places)
    {
        var callers = new List<AccessCaller>();
        foreach (var scope in Scope.Grantable)
        {
            using var made = await owner.PostAsJsonAsync("account/keys", new { name = scope, scopes = new[] { scope } });
            callers.Add(new(scope, Office.Client((string)(await made.Content.ReadFromJsonAsync<JsonObject>())!["key"]!), places));
        }

        return callers;
    }

    /// <summary>What an administrator makes, by the name that its answer gives it.</summary>
    private async Task<string> Made(string path, object body, string name)
    {
        using var made = await Office.Admin.PostAsJsonAsync(path, body);
        return (string)(await made.Content.ReadFromJsonAsync<JsonObject>())![name]!;
    }

    private static string SessionOf(string token) => new JsonWebToken(token).GetClaim("sid").Value;

    [GeneratedRegex(@"[?&]token=([^&]+)")]
    private static partial Regex Query();
}

/// <param name="Name">The column.</param>
/// <param name="Places">What this caller puts into a route's braces.</param>
internal sealed partial record AccessCaller(string Name, HttpClient Client, IReadOnlyDictionary<string, string> Places)
{
    /// <returns><c>yes</c> for whoever gets in, however the visit ends, or the status of the refusal.</returns>
    public async Task<string> Try(AccessRow row)
    {
        using var request = new HttpRequestMessage(new HttpMethod(row.Method), PathOf(row));
        if (row.Method != "GET")
        {
            // Readable and of no use to anybody: whoever gets in is told what is wrong with it.
            request.Content = row.Pattern.StartsWith("/oauth2", StringComparison.Ordinal)
                ? new FormUrlEncodedContent([new("token", "guessed")])
                : new StringContent("[]", new System.Net.Http.Headers.MediaTypeHeaderValue("application/json"));
        }

        using var answer = await Client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
        return answer.StatusCode switch
        {
            HttpStatusCode.Unauthorized => "401",
            HttpStatusCode.Forbidden => "403",
            HttpStatusCode.NotFound when (await answer.Content.ReadAsStringAsync()).Contains("/problems/not-found", StringComparison.Ordinal) => "404",
            _ => "yes",
        };
    }

    /// <summary>The route's address, as this caller knows it.</summary>
    public string PathOf(AccessRow row)
    {
        var pattern = OfSeveral().Replace(row.Pattern, it => $"/{it.Groups[1].Value}s/{{{it.Groups[1].Value}");
        var path = Braces().Replace(pattern, it => Places[it.Groups[1].Value]).TrimStart('/');
        if (Places.TryGetValue("?token", out var token))
        {
            path += $"?token={token}";
        }

        return path;
    }

    /// <summary>Several routes say <c>id</c> and mean different things.</summary>
    [GeneratedRegex(@"/(purchase|session|invitation)s/\{id")]
    private static partial Regex OfSeveral();

    [GeneratedRegex(@"\{\*{0,2}([A-Za-z]+)[^}]*\}")]
    private static partial Regex Braces();
}
