using System.Text.Json;

namespace CaveComm.Api.Audit;

/// <summary>An event with all that stands around it.</summary>
/// <param name="Position">Its place in the whole log.</param>
/// <param name="Text">What happened, in one sentence.</param>
/// <param name="Hash">SHA-256 over the content and the hash before it; null for an event that another program wrote.</param>
/// <param name="Data">As it is stored; of an event that nobody knows too.</param>
public sealed record AuditedEvent(
    long Position,
    Guid Id,
    string Stream,
    long Version,
    string Type,
    DateTimeOffset At,
    string? Actor,
    string? CorrelationId,
    string? CausationId,
    string? Hash,
    string? PreviousHash,
    JsonElement Data,
    string Text);

/// <summary>A stream up to a version or a moment.</summary>
/// <param name="Version">The last version that is shown; 0 when nothing had happened yet.</param>
/// <param name="State">What the events fold to, for streams that decisions are made on; null for others.</param>
public sealed record AuditedStream(string Key, long Version, object? State, IReadOnlyList<AuditedEvent> Events);

/// <param name="LastVersion">The stream's version now.</param>
/// <param name="At">Shown as it was then; null when no moment was asked for.</param>
public sealed record StreamPageModel(AuditedStream Stream, long LastVersion, DateTimeOffset? At);
