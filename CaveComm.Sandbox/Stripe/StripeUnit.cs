using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Nodes;
using CaveComm.Sandbox.Storage;
using CaveComm.Sandbox.Stripe.Resources;
using CaveComm.Sandbox.Stripe.Wire;

namespace CaveComm.Sandbox.Stripe;

/// <summary>One change of Stripe's state: objects, the events that tell of them, and what goes out, all kept together or not at all.</summary>
/// <remarks>
/// Objects are documents in wire format, with a few fields of ours that begin with an underscore and are never shown:
/// <c>_n</c> orders them by their making, <c>_account</c> is the connected account they belong to.
/// </remarks>
internal sealed class StripeUnit(StripeWorld world, SandboxStore.Work work, string? account, StripeRequest? request)
{
    private const string Letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true };

    private static long last;

    public StripeWorld World => world;

    public SandboxStore.Work Work => work;

    public string? Account => account;

    public long Now { get; } = world.Time.GetUtcNow().ToUnixTimeSeconds();

    public static string Collection(string kind) => "stripe." + kind;

    public static string NewId(string prefix) => $"{prefix}_1{RandomNumberGenerator.GetString(Letters, 23)}";

    public static string NewSecret(int length = 24) => RandomNumberGenerator.GetString(Letters, length);

    /// <summary>The same state, as a connected account or (null) the platform sees it.</summary>
    public StripeUnit For(string? other) => new(world, work, other, request);

    /// <summary>A new object with what all have; the caller fills in the rest and puts it.</summary>
    public JsonObject New(string kind, string prefix, string? id = null) => new()
    {
        ["id"] = id ?? NewId(prefix),
        ["object"] = kind,
        ["created"] = Now,
        ["livemode"] = false,
        ["_n"] = NextNumber(),
        ["_account"] = account,
    };

    public JsonObject? Find(string kind, string id) =>
        work.Find(Collection(kind), id) is { } thing && (string?)thing["_account"] == account ? thing : null;

    /// <summary>The object that the URL names.</summary>
    public JsonObject Get(string kind, string id, string parameter = "id") =>
        Find(kind, id) ?? throw StripeFault.NoSuch(Wording(kind), id, parameter, inUrl: true);

    /// <summary>The object that a parameter names.</summary>
    public JsonObject Refer(string kind, string id, string parameter) =>
        Find(kind, id) ?? throw StripeFault.NoSuch(Wording(kind), id, parameter, inUrl: false);

    public void Put(JsonObject thing) => work.Put(Collection((string)thing["object"]!), (string)thing["id"]!, thing);

    public void Remove(JsonObject thing) => work.Remove(Collection((string)thing["object"]!), (string)thing["id"]!);

    /// <summary>Objects of a kind that fit, the newest first.</summary>
    public IReadOnlyList<JsonObject> All(string kind, Func<JsonObject, bool> fits) =>
        [.. Ids(kind, fits).Select(id => work.Find(Collection(kind), id)!)];

    /// <summary>The ids of objects of a kind that fit, the newest first. <paramref name="fits"/> sees the objects uncopied and must change nothing.</summary>
    public IReadOnlyList<string> Ids(string kind, Func<JsonObject, bool> fits) =>
    [
        .. work.Select(Collection(kind), it => Fits(it, fits) ? (Id: (string?)it["id"], Number: (long)it["_n"]!) : default)
            .Where(it => it.Id is not null)
            .OrderByDescending(it => it.Number)
            .Select(it => it.Id!),
    ];

    public JsonObject? Newest(string kind, Func<JsonObject, bool> fits) =>
        Ids(kind, fits) is [var first, ..] ? work.Find(Collection(kind), first) : null;

    /// <summary>Adds up a field of the objects that fit.</summary>
    public long Sum(string kind, Func<JsonObject, bool> fits, Func<JsonObject, long> value) =>
        work.Select(Collection(kind), it => Fits(it, fits) ? value(it) : 0).Sum();

    /// <summary>The object as it is shown.</summary>
    public JsonObject Render(JsonObject thing)
    {
        var shown = thing.DeepClone().AsObject();
        if ((string?)thing["object"] == "invoice")
        {
            Invoices.Dress(world, shown);
        }
        else if ((string?)thing["object"] == "balance_transaction")
        {
            shown["status"] = (long)thing["available_on"]! <= Now ? "available" : "pending";
        }

        foreach (var hidden in shown.Select(field => field.Key).Where(name => name.StartsWith('_')).ToArray())
        {
            shown.Remove(hidden);
        }

        return shown;
    }

    /// <summary>Makes an event of an object as it is now, and queues the webhooks that tell of it.</summary>
    /// <param name="previous">For <c>*.updated</c>: the values before.</param>
    public void Tell(string type, JsonObject thing, JsonObject? previous = null)
    {
        var data = new JsonObject { ["object"] = Render(thing) };
        if (previous is not null)
        {
            data["previous_attributes"] = previous;
        }

        var told = New("event", "evt");
        told["api_version"] = StripeWorld.ApiVersion;
        told["data"] = data;
        told["request"] = new JsonObject { ["id"] = request?.Id, ["idempotency_key"] = request?.IdempotencyKey };
        told["type"] = type;
        if (account is not null)
        {
            told["account"] = account;
        }

        var endpoints = work.Where(Collection("webhook_endpoint"), it => WebhookEndpoints.Wants(it, type, account is not null));
        told["pending_webhooks"] = endpoints.Count + 1;
        Put(told);
        var body = Render(told).ToJsonString(Indented);
        foreach (var endpoint in endpoints.Select(it => (string)it["id"]!).Prepend(StripeWorld.DefaultEndpoint))
        {
            world.Webhooks.Enqueue(work, endpoint, (string)told["id"]!, body);
        }
    }

    /// <summary>Changes fields, and gives what they were, for the event.</summary>
    public static JsonObject Change(JsonObject thing, params (string Field, JsonNode? Value)[] changes)
    {
        var previous = new JsonObject();
        foreach (var (field, value) in changes)
        {
            if (!JsonNode.DeepEquals(thing[field], value))
            {
                previous[field] = thing[field]?.DeepClone();
            }

            thing[field] = value;
        }

        return previous;
    }

    /// <summary>The earlier values of the fields that are others now, for the event.</summary>
    public static JsonObject Differences(JsonObject before, JsonObject now)
    {
        var previous = new JsonObject();
        foreach (var (field, value) in before.Where(it => !JsonNode.DeepEquals(it.Value, now[it.Key])))
        {
            previous[field] = value?.DeepClone();
        }

        return previous;
    }

    private bool Fits(JsonObject thing, Func<JsonObject, bool> fits) => (string?)thing["_account"] == account && fits(thing);

    private static string Wording(string kind) => kind == "charge" ? "charge" : kind.Replace("_", "", StringComparison.Ordinal);

    /// <summary>Grows always, and begins at the time, so that objects of a later start come later.</summary>
    private long NextNumber()
    {
        var now = world.Time.GetUtcNow().ToUnixTimeMilliseconds() * 1000;
        while (true)
        {
            var before = Interlocked.Read(ref last);
            var next = Math.Max(before + 1, now);
            if (Interlocked.CompareExchange(ref last, next, before) == before)
            {
                return next;
            }
        }
    }
}
