using System.Buffers;

namespace CaveComm.EventStore;

/// <summary>A row of <c>mt_events</c> as it came over the wire. Its memory belongs to its <see cref="RawBatch"/>.</summary>
internal readonly record struct RawEvent
{
    public required long Sequence { get; init; }

    public required Guid Id { get; init; }

    public required string? StreamKey { get; init; }

    public required long Version { get; init; }

    public required string Alias { get; init; }

    /// <summary>The stored JSON, in UTF-8.</summary>
    public required ReadOnlyMemory<byte> Data { get; init; }

    public required DateTimeOffset Timestamp { get; init; }

    public required string? TenantId { get; init; }

    public required string? DotNetTypeName { get; init; }

    public required string? CorrelationId { get; init; }

    public required string? CausationId { get; init; }

    /// <summary>The stored JSON, in UTF-8; empty where there is none.</summary>
    public required ReadOnlyMemory<byte> Headers { get; init; }

    public required bool IsArchived { get; init; }

    /// <summary>Whether what follows <see cref="Timestamp"/> was left out.</summary>
    public required bool IsNarrow { get; init; }
}

/// <summary>Some rows in the order in which they were read, and the bytes that they point into.</summary>
internal sealed class RawBatch(byte[] bytes) : IDisposable
{
    public const int MostRows = 1000;
    private byte[]? bytes = bytes;

    public List<RawEvent> Rows { get; } = new(MostRows);

    /// <summary>Gives the bytes back; the rows must not be used after it.</summary>
    public void Dispose()
    {
        if (Interlocked.Exchange(ref bytes, null) is { } used)
            ArrayPool<byte>.Shared.Return(used);
    }
}
