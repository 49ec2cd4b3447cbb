using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using CaveComm.Sandbox.Storage;

namespace CaveComm.Sandbox.Stripe.Wire;

/// <summary>The first answer to each key, kept for a day and given again.</summary>
internal sealed class IdempotencyKeys
{
    private const string Kept = "stripe.idempotency";
    private const long Day = 24 * 60 * 60;

    private readonly HashSet<string> running = [];
    private readonly Lock gate = new();

    /// <summary>What makes two requests the same: the account they act for, the path and every parameter.</summary>
    public static string Fingerprint(string? account, string path, StripeParameters parameters)
    {
        var lines = parameters.Entries.Select(it => string.Join('\u001f', it.Path) + '=' + it.Value).Order(StringComparer.Ordinal);
        var text = $"{account}\n{path}\n{string.Join('\n', lines)}";
        return Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)));
    }

    /// <summary>Holds the key while the call runs; a second call with it is told to wait.</summary>
    public IDisposable Hold(string? account, string key)
    {
        var name = Name(account, key);
        lock (gate)
        {
            if (!running.Add(name))
            {
                throw new StripeFault(
                    409,
                    "invalid_request_error",
                    "idempotency_key_in_use",
                    $"Another request with the idempotency key '{key}' is still running. Try again when it has ended.");
            }
        }

        return new Holding(this, name);
    }

    /// <returns>The stored answer, or null when the key is new.</returns>
    public static JsonObject? Find(SandboxStore.Work work, string? account, string key, string path, string fingerprint, long now)
    {
        if (work.Find(Kept, Name(account, key)) is not { } kept || now - (long)kept["created"]! >= Day)
        {
            return null;
        }

        if ((string?)kept["fingerprint"] == fingerprint)
        {
            return kept;
        }

        var first = (string)kept["path"]!;
        throw new StripeFault(400, "idempotency_error", null, first == path
            ? $"The idempotency key '{key}' was first used with other parameters. A different request needs a different key."
            : $"The idempotency key '{key}' was first used for {first}, not for {path}. A different request needs a different key.");
    }

    public static void Keep(
        SandboxStore.Work work, string? account, string key, string path, string fingerprint, string requestId, int status, JsonObject body, long now) =>
        work.Put(Kept, Name(account, key), new JsonObject
        {
            ["path"] = path,
            ["fingerprint"] = fingerprint,
            ["request"] = requestId,
            ["status"] = status,
            ["body"] = body.DeepClone(),
            ["created"] = now,
        });

    /// <summary>Forgets what is older than a day.</summary>
    public static void Prune(SandboxStore store, long now) => store.Transact(work =>
    {
        foreach (var id in work.Ids(Kept).Where(id => now - (long)work.Find(Kept, id)!["created"]! >= Day).ToArray())
        {
            work.Remove(Kept, id);
        }
    });

    private static string Name(string? account, string key) => $"{account}|{key}";

    private sealed class Holding(IdempotencyKeys keys, string name) : IDisposable
    {
        public void Dispose()
        {
            lock (keys.gate)
            {
                keys.running.Remove(name);
            }
        }
    }
}
