using System.Globalization;
using System.Text.Json.Nodes;

namespace CaveComm.Sandbox.Webhooks;

/// <summary>Something that waits to be sent, or has been. A lane is sent one item at a time; lanes don't wait for each other.</summary>
/// <param name="Id">Ordered by the time of queueing.</param>
/// <param name="Lane">What the item shares with others that must not be sent beside it, such as a webhook endpoint.</param>
/// <param name="Key">The sender's own name for it (an event's id); copies share it.</param>
/// <param name="Attempts">Attempts made so far.</param>
/// <param name="LastResult">What the last attempt met, in words.</param>
public sealed record QueuedItem(
    string Id,
    string Lane,
    string Key,
    JsonObject Content,
    DateTimeOffset QueuedAt,
    DateTimeOffset DueAt,
    int Attempts = 0,
    DateTimeOffset? FirstAttemptAt = null,
    DateTimeOffset? LastAttemptAt = null,
    string? LastResult = null,
    bool? Succeeded = null)
{
    /// <summary>Without the content: that never changes and is kept apart, since each attempt writes the rest anew.</summary>
    internal JsonObject ToDocument() => new()
    {
        ["id"] = Id,
        ["lane"] = Lane,
        ["key"] = Key,
        ["queuedAt"] = Text(QueuedAt),
        ["dueAt"] = Text(DueAt),
        ["attempts"] = Attempts,
        ["firstAttemptAt"] = Text(FirstAttemptAt),
        ["lastAttemptAt"] = Text(LastAttemptAt),
        ["lastResult"] = LastResult,
        ["succeeded"] = Succeeded,
    };

    internal static QueuedItem FromDocument(JsonObject document, JsonObject content) => new(
        (string)document["id"]!,
        (string)document["lane"]!,
        (string)document["key"]!,
        content,
        Time(document["queuedAt"])!.Value,
        Time(document["dueAt"])!.Value,
        (int)document["attempts"]!,
        Time(document["firstAttemptAt"]),
        Time(document["lastAttemptAt"]),
        (string?)document["lastResult"],
        (bool?)document["succeeded"]);

    private static string? Text(DateTimeOffset? at) => at?.ToString("O", CultureInfo.InvariantCulture);

    private static DateTimeOffset? Time(JsonNode? text) =>
        text is null ? null : DateTimeOffset.Parse((string)text!, CultureInfo.InvariantCulture, DateTimeStyles.RoundtripKind);
}

/// <summary>What became of one attempt.</summary>
/// <param name="Result">For the list of deliveries: what was met, in words.</param>
public sealed record Attempted(Attempted.Verdict Is, string Result)
{
    public enum Verdict
    {
        /// <summary>It arrived.</summary>
        Done,

        /// <summary>It is tried again by the schedule.</summary>
        TryAgain,

        /// <summary>Nobody is there: it is tried again, and so long the others of its lane need not be.</summary>
        NobodyThere,

        /// <summary>It is not tried again.</summary>
        GivenUp,
    }
}
