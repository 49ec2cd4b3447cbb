using System.Globalization;
using CaveComm.Api.Http;

namespace CaveComm.Api.Admin;

/// <summary>A place in the list of messages, as it travels in <c>?after=</c>.</summary>
internal static class MessageCursors
{
    public const int PartCount = 3;

    public static string[] Parts(MessageCursor it) => [it.Dead ? "dead" : "live", it.At.ToString("O", CultureInfo.InvariantCulture), it.Id.ToString("N")];

    /// <returns>Null when it is none of ours.</returns>
    public static MessageCursor? Read(string cursor) => Paging.Decode(cursor) is { } parts ? Read(parts) : null;

    /// <inheritdoc cref="Read(string)"/>
    public static MessageCursor? Read(IReadOnlyList<string> parts) =>
        parts is ["dead" or "live", var moment, var key]
        && DateTimeOffset.TryParseExact(moment, "O", CultureInfo.InvariantCulture, DateTimeStyles.RoundtripKind, out var at) && Guid.TryParseExact(key, "N", out var id)
            ? new MessageCursor(parts[0] == "dead", at, id)
            : null;
}
