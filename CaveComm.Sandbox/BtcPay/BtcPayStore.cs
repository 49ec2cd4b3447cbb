using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using CaveComm.Sandbox.Storage;

namespace CaveComm.Sandbox.BtcPay;

/// <summary>Typed reading and writing of the look-alike's documents.</summary>
internal static class BtcPayStore
{
    public const string Invoices = "btcpay.invoices";
    public const string Orders = "btcpay.orders";
    public const string Payouts = "btcpay.payouts";
    public const string PullPayments = "btcpay.pull-payments";
    public const string LightningInvoices = "btcpay.lightning-invoices";
    public const string LightningPayments = "btcpay.lightning-payments";
    public const string Hooks = "btcpay.hooks";
    public const string Settings = "btcpay.settings";

    private const string Letters = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";

    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web)
    {
        Converters = { new JsonStringEnumConverter() },
        IgnoreReadOnlyProperties = true,
    };

    public static T? Read<T>(this SandboxStore.Work work, string collection, string id)
        where T : class => work.Find(collection, id)?.Deserialize<T>(Json);

    public static IEnumerable<T> ReadAll<T>(this SandboxStore.Work work, string collection)
        where T : class => work.All(collection).Select(it => it.Deserialize<T>(Json)!);

    /// <param name="fits">Asked about the document as it is kept; it must not change it.</param>
    public static IReadOnlyList<T> ReadWhere<T>(this SandboxStore.Work work, string collection, Func<JsonObject, bool> fits)
        where T : class => [.. work.Where(collection, fits).Select(it => it.Deserialize<T>(Json)!)];

    public static void Write<T>(this SandboxStore.Work work, string collection, string id, T document)
        where T : class => work.Put(collection, id, JsonSerializer.SerializeToNode(document, Json)!.AsObject());

    /// <summary>22 letters and digits, as BTCPay's ids are.</summary>
    public static string NewId() => RandomNumberGenerator.GetString(Letters, 22);

    /// <summary>An id that the same seed gives again.</summary>
    public static string IdFrom(string seed) =>
        string.Concat(SHA256.HashData(System.Text.Encoding.UTF8.GetBytes(seed)).Take(22).Select(it => Letters[it % Letters.Length]));

    /// <summary>What the world outside (chain, wallets) would name a transaction.</summary>
    public static string NewHash() => RandomNumberGenerator.GetHexString(64, lowercase: true);
}
