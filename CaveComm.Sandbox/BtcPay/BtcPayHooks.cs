using System.Globalization;
using System.Net;
using System.Security.Cryptography;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using CaveComm.Sandbox.Storage;
using CaveComm.Sandbox.Webhooks;

namespace CaveComm.Sandbox.BtcPay;

/// <summary>A registered webhook.</summary>
/// <param name="Events">Null: everything.</param>
internal sealed record Hook(string Id, string Url, string Secret, bool Enabled, bool AutomaticRedelivery, IReadOnlyList<string>? Events)
{
    public bool Wants(string type) => Enabled && (Events is null || Events.Contains(type));
}

/// <summary>Who is told what, and in which words: BTCPay's bodies, signatures and delivery ids.</summary>
internal sealed class BtcPayHooks
{
    /// <summary>Indented, as the real server writes them: a receiver that signs anything but the raw bytes fails here too.</summary>
    private static readonly JsonSerializerOptions Indented = new()
    {
        WriteIndented = true,
        NewLine = "\n",
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    private readonly SandboxStore store;
    private readonly BtcPayOptions options;
    private readonly TimeProvider time;

    public BtcPayHooks(SandboxStore store, BtcPayOptions options, TimeProvider time)
    {
        this.store = store;
        this.options = options;
        this.time = time;
        Queue = new WebhookQueue(store, "btcpay", new WebhookQueueOptions(Prepare, TryAgainAfter) { Schedule = options.WebhookSchedule }, time);
    }

    public WebhookQueue Queue { get; }

    public static string Signature(string secret, string body) =>
        "sha256=" + Convert.ToHexStringLower(HMACSHA256.HashData(Encoding.UTF8.GetBytes(secret), Encoding.UTF8.GetBytes(body)));

    /// <summary>The launcher's own webhook: made at the first start, so that what happens before the product is up waits for it.</summary>
    public string Own() => store.Transact(work =>
    {
        var own = (string?)work.Find(BtcPayStore.Settings, "own-hook")?["id"];
        if (own is null || work.Read<Hook>(BtcPayStore.Hooks, own) is not { } hook)
        {
            own = BtcPayStore.NewId();
            work.Put(BtcPayStore.Settings, "own-hook", new JsonObject { ["id"] = own });
            hook = new Hook(own, "", options.WebhookSecret, true, true, null);
        }

        work.Write(BtcPayStore.Hooks, own, hook with { Secret = options.WebhookSecret });
        return own;
    });

    public void PointOwn(Uri url)
    {
        var own = Own();
        store.Transact(work => work.Write(BtcPayStore.Hooks, own, work.Read<Hook>(BtcPayStore.Hooks, own)! with { Url = url.AbsoluteUri }));
        Queue.SetTarget(own, url);
    }

    /// <summary>Tells everybody who wants to know, as part of the change that it tells of.</summary>
    /// <param name="facts">The members of this type alone; they stand first.</param>
    /// <param name="subject">The members that say what it is about; they stand last.</param>
    public void Publish(SandboxStore.Work work, string type, JsonObject facts, JsonObject subject)
    {
        foreach (var hook in work.ReadAll<Hook>(BtcPayStore.Hooks).Where(it => it.Wants(type)))
        {
            var delivery = BtcPayStore.NewId();
            var body = facts.DeepClone().AsObject();
            body["deliveryId"] = delivery;
            body["webhookId"] = hook.Id;
            body["originalDeliveryId"] = delivery;
            body["isRedelivery"] = false;
            body["type"] = type;
            body["timestamp"] = time.GetUtcNow().ToUnixTimeSeconds();
            body["storeId"] = options.StoreId;
            foreach (var (name, value) in subject)
            {
                body[name] = value?.DeepClone();
            }

            Queue.Enqueue(work, hook.Id, delivery, body.ToJsonString());
        }
    }

    /// <summary>What was sent, newest first, in the API's words.</summary>
    public IReadOnlyList<JsonObject> Deliveries(string hookId) =>
        [.. Sent(hookId).Select(Shape).DistinctBy(it => (string?)it["id"])];

    /// <summary>The body as it was sent with that delivery; null when there is none.</summary>
    public string? Request(string hookId, string deliveryId) =>
        Sent(hookId).FirstOrDefault(it => DeliveryId(it, it.Attempts - 1) == deliveryId) is { } item ? Body(item, item.Attempts - 1) : null;

    /// <returns>The new delivery's id; null when there is no such delivery.</returns>
    public string? Redeliver(string hookId, string deliveryId)
    {
        if (Sent(hookId).FirstOrDefault(it => DeliveryId(it, it.Attempts - 1) == deliveryId) is not { } item)
        {
            return null;
        }

        var again = BtcPayStore.NewId();
        store.Transact(work =>
            Queue.Enqueue(work, hookId, item.Key, WebhookQueue.Body(item), new JsonObject { ["deliveryId"] = again }));
        return again;
    }

    private IEnumerable<QueuedItem> Sent(string hookId) =>
        Queue.Waiting().Concat(Queue.Ended()).Where(it => it.Lane == hookId && it.Attempts > 0).OrderByDescending(it => it.LastAttemptAt);

    private static JsonObject Shape(QueuedItem item)
    {
        var code = int.TryParse(item.LastResult, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : (int?)null;
        return new JsonObject
        {
            ["id"] = DeliveryId(item, item.Attempts - 1),
            ["timestamp"] = item.LastAttemptAt!.Value.ToUnixTimeSeconds(),
            ["deliveryTime"] = item.LastAttemptAt.Value.ToUnixTimeSeconds(),
            ["httpCode"] = code,
            ["errorMessage"] = code is null ? item.LastResult : code is >= 200 and < 300 ? null : $"HTTP status code {code}",
            ["status"] = code switch { null => "Failed", >= 200 and < 300 => "HttpSuccess", _ => "HttpError" },
        };
    }

    private static bool TryAgainAfter(HttpStatusCode code) =>
        (int)code >= 500 || code is HttpStatusCode.RequestTimeout or HttpStatusCode.TooManyRequests;

    private WebhookPost Prepare(QueuedItem item, DateTimeOffset now)
    {
        var secret = store.Transact(work => work.Read<Hook>(BtcPayStore.Hooks, item.Lane))?.Secret ?? options.WebhookSecret;
        var body = Body(item, item.Attempts);
        return new WebhookPost(body, new Dictionary<string, string>
        {
            ["BTCPay-Sig"] = Signature(secret, body),
            ["User-Agent"] = "BTCPayServer/2.4.1",
        });
    }

    /// <summary>Every attempt is a delivery of its own, with the first one's id beside its own.</summary>
    private static string Body(QueuedItem item, int attempt)
    {
        var body = JsonNode.Parse(WebhookQueue.Body(item))!.AsObject();
        var delivery = DeliveryId(item, attempt);
        body["deliveryId"] = delivery;
        body["isRedelivery"] = delivery != item.Key;
        return body.ToJsonString(Indented);
    }

    private static string DeliveryId(QueuedItem item, int attempt) =>
        attempt > 0 ? BtcPayStore.IdFrom($"{item.Id} {attempt}") : (string?)item.Content["facts"]?["deliveryId"] ?? item.Key;
}
