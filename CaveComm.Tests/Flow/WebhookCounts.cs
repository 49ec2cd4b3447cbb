using System.Collections.Concurrent;
using System.Diagnostics.Metrics;

namespace CaveComm.Tests.Flow;

/// <summary>Hears the product's counters of webhooks.</summary>
internal sealed class WebhookCounts : IDisposable
{
    private const string Prefix = "cavecomm.webhooks.";

    private readonly MeterListener listener = new();
    private readonly ConcurrentDictionary<string, long> counts = new();

    public WebhookCounts()
    {
        listener.InstrumentPublished = (instrument, it) =>
        {
            if (instrument.Name.StartsWith(Prefix, StringComparison.Ordinal))
            {
                it.EnableMeasurementEvents(instrument);
            }
        };
        listener.SetMeasurementEventCallback<long>((instrument, value, tags, _) =>
        {
            var name = string.Join(' ', [instrument.Name[Prefix.Length..], .. tags.ToArray().Select(tag => $"{tag.Value}")]);
            counts.AddOrUpdate(name, value, (_, before) => before + value);
        });
        listener.Start();
    }

    /// <param name="name">Such as <c>refused stripe stale</c>.</param>
    public long Of(string name) => counts.GetValueOrDefault(name);

    public void Dispose() => listener.Dispose();
}
