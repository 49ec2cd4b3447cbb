using System.Text.Json;
using System.Text.RegularExpressions;
using CaveComm.Domain.Admin;
using CaveComm.Domain.Commissions;
using CaveComm.Domain.Identity;
using CaveComm.Projections.Commissions;

namespace CaveComm.Api.Audit;

/// <summary>An event in one sentence, for people who read a stream's story.</summary>
internal static partial class EventWords
{
    private const int ShownOfData = 160;

    /// <param name="happened">The event as a record of today; null where it cannot be read as one.</param>
    public static string Of(StoredEvent stored, object? happened) => happened switch
    {
        CommissionEvent e => HistoryText.Of(e),
        ProjectionEvent.RebuildRequested e => Asked("A rebuild was asked for", e.Reason),
        ProjectionEvent.Paused e => Asked("The projection was paused", e.Reason),
        ProjectionEvent.Resumed e => Asked("The projection was resumed", e.Reason),
        ProjectionEvent.Retried e => Asked(e.Key is { } key ? $"The parked key {key} was tried again" : "All parked keys were tried again", e.Reason),
        InstallationEvent.Restored e => $"A backup of {e.SavedAt.UtcDateTime:yyyy-MM-dd HH:mm:ss} UTC was put in place. It ended at position {Pages.Numbers.Of(e.Position)}; what was recorded after it is not in this log.",
        MessageEvent.Replayed e => Asked($"The dead letter {e.Type} was sent again", e.Reason),
        MessageEvent.Discarded e => Asked($"The dead letter {e.Type} was discarded", e.Reason),
        AccountEvent e => AccountWords.Of(e),
        SignInEvent e => AccountWords.Of(e),
        InvitationEvent e => AccountWords.Of(e),
        ReplayEvent.Requested e => Asked($"Dead letters were sent again, at most {e.PerSecond} a second", e.Reason),
        SessionEvent e => SessionWords.Of(e),
        ClientEvent.ClientRegistered e => $"The {(e.Facts.IsTrusted ? "trusted " : "")}app {e.Facts.Name} was registered{(e.Facts.IsPublic ? ", without a secret" : "")}. It may ask for {e.Facts.Scope}.",
        ClientEvent.ClientRemoved e => $"The app was removed: {e.Cause}",
        SigningKeyEvent.Rotated e => Asked($"The key {e.KeyId} signs tokens from {e.SignsFrom.UtcDateTime:yyyy-MM-dd HH:mm} UTC{(e.Compromised ? "; those of before were thrown away" : "")}", e.Reason),
        _ => Short(stored.Data) is { Length: > 0 } data ? $"{Name(stored.Type)}: {data}" : $"{Name(stored.Type)}.",
    };

    /// <summary>Indented, for reading.</summary>
    public static string Pretty(JsonElement json) => JsonSerializer.Serialize(json, Indented);

    // "freelancer.profile-changed" is "Profile changed".
    private static string Name(string alias)
    {
        var words = alias[(alias.IndexOf('.', StringComparison.Ordinal) + 1)..].Replace('-', ' ');
        return words.Length == 0 ? alias : $"{char.ToUpperInvariant(words[0])}{words[1..]}";
    }

    private static string Asked(string what, string? reason) => reason is null ? $"{what}." : $"{what}: {reason}";

    private static string Short(string data)
    {
        var line = Spaces().Replace(data, " ");
        return line is "{}" or "null" ? "" : line.Length <= ShownOfData ? line : $"{line[..ShownOfData]}…";
    }

    private static readonly JsonSerializerOptions Indented = new(Http.Json.Options) { WriteIndented = true };

    [GeneratedRegex(@"\s+")]
    private static partial Regex Spaces();
}
