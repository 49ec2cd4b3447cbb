namespace CaveComm.Domain.Payments;

/// <summary>What a provider told us, stored once under its own id; the stream's key is the deduplication (spec P1, P2).</summary>
public abstract record ProviderEvent
{
    private ProviderEvent() { }

    /// <param name="Provider"><c>stripe</c> or <c>btcpay</c>.</param>
    /// <param name="Body">The body as it came.</param>
    public sealed record Received(string Provider, string EventId, string Type, DateTimeOffset? CreatedAt, string Body) : ProviderEvent;

    /// <summary>Signed rightly, but no event that we can read; a person has to look.</summary>
    public sealed record Unreadable(string Provider, string Sha256, string Reason, string Body) : ProviderEvent;
}
