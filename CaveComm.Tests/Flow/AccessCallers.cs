using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using CaveComm.Api.Identity;
using CaveComm.Domain.Identity;
using CaveComm.Tests.Support;
using Microsoft.Extensions.DependencyInjection;

namespace CaveComm.Tests.Flow;

/// <summary>An office with one of everything that a route can name, and one of everybody who may come.</summary>
public sealed partial class AccessCallers : IAsyncLifetime
{
    private readonly (string Handle, string Password) keeper = ("keeper", "velvet-Anchor-6-harbour");
    private readonly Dictionary<string, string> named = new(StringComparer.Ordinal);

    public Office Office { get; } = new();

    /// <summary>In the order of the table's columns.</summary>
    internal IReadOnlyList<AccessCaller> All { get; private set; } = [];

    public async ValueTask InitializeAsync()
    {
        await Office.InitializeAsync();
        var keeperClient = await KeeperOfAllRoles();
        var (mira, kept) = (await Delivered(new Story(Office)), await Delivered(new Story(Office, (keeper.Handle, keeperClient))));
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
        named["customerID"] = await Office.Database.Scalar<string>($"select data ->> 'customerId' from mt_doc_inboxitem_2 where id = 'commission:{mira.RequestId}'");

        var places = await Places(mira, Office.Mira.Handle);
        var ofKeeper = await Places(kept, keeper.Handle);
        All =
        [
            new("anonymous", Office.Anonymous, places),
            new("customer", Office.Anonymous, await Links(mira, places)),
            new("other freelancer", Office.Second, places),
            new("owner", Office.Freelancer, places),
            new("auditor", Office.Auditor, places),
            new("admin", Office.Admin, places),
            //.. await Task.WhenAll(Scope.Grantable.Select(async scope => new AccessCaller(scope, Office.Client(await Key(keeperClient, scope)), ofKeeper))),
        ];
    }

    public async ValueTask DisposeAsync() => await Office.DisposeAsync();

    /// <summary>A freelancer who is auditor and administrator too: what a key of such a one cannot do, its scope forbids.</summary>
    private async Task<HttpClient> KeeperOfAllRoles()
    {
        using var registered = await Office.Anonymous.PostAsJsonAsync("freelancer/register", new { handle = keeper.Handle, displayName = "Keeper", email = "keeper@cavecomm.example", password = keeper.Password });
        var account = (Guid)(await registered.Content.ReadFromJsonAsync<JsonObject>())!["accountId"]!;
        foreach (var role in new[] { Role.Admin, Role.Auditor })
        {
            await Office.Services.GetRequiredService<AccountHandling>().Handle(account, new AccountCommand.GrantRole(role, "has to look after all"), "system", CancellationToken.None);
        }

        var client = Office.Client(await Office.SignIn(keeper));
        (await client.PostAsync($"freelancer/{keeper.Handle}/open", null)).Dispose();
        return client;
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

    private static async Task<string> Key(HttpClient client, string scope)
    {
        using var made = await client.PostAsJsonAsync("account/keys", new { name = scope, scopes = new[] { scope } });
        return (string)(await made.Content.ReadFromJsonAsync<JsonObject>())!["key"]!;
    }

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
        var pattern = row.Pattern.Replace("/purchases/{id", "/purchases/{purchase", StringComparison.Ordinal);
        var path = Braces().Replace(pattern, it => Places[it.Groups[1].Value]).TrimStart('/');
        if (Places.TryGetValue("?token", out var token))
        {
            path += $"?token={token}";
        }

        using var request = new HttpRequestMessage(new HttpMethod(row.Method), path);
        if (row.Method != "GET")
        {
            // Readable and of no use to anybody: whoever gets in is told what is wrong with it.
            request.Content = new StringContent("[]", new System.Net.Http.Headers.MediaTypeHeaderValue("application/json"));
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

    [GeneratedRegex(@"\{\*{0,2}([A-Za-z]+)[^}]*\}")]
    private static partial Regex Braces();
}
