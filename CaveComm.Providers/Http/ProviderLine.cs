using System.Diagnostics.Metrics;
using Microsoft.Extensions.Logging;

namespace CaveComm.Providers.Http;

/// <summary>The way to one outside party: how many calls at once, and for how long none at all. Every call goes through it.</summary>
internal sealed class ProviderLine : IDisposable
{
    private static readonly Meter Meter = new("CaveComm.Providers");

    private static readonly UpDownCounter<int> Open =
        Meter.CreateUpDownCounter<int>("cavecomm.providers.open", description: "1 while a provider is left alone because it does not answer.");

    private static readonly Counter<long> TurnedAway =
        Meter.CreateCounter<long>("cavecomm.providers.turned_away", description: "Calls that were not made, because the provider is left alone or has its hands full.");

    private readonly KeyValuePair<string, object?> tag;
    private readonly string provider;
    private readonly Bulkhead bulkhead;

    public ProviderLine(string provider, CallLimits limits, TimeProvider clock, ILogger log)
    {
        this.provider = provider;
        tag = new("provider", provider);
        bulkhead = new Bulkhead(limits.MostCalls, clock);
        Circuit = new Circuit(limits.Pause, clock, open =>
        {
            Open.Add(open ? 1 : -1, tag);
            if (open)
            {
                ProviderLog.LeftAlone(log, provider);
            }
            else
            {
                ProviderLog.Back(log, provider);
            }
        });
    }

    public Circuit Circuit { get; }

    public ProviderState State => new(
        provider,
        Circuit.State switch { CircuitState.Closed => "closed", CircuitState.Open => "open", CircuitState.Trial => "trial" },
        bulkhead.UnderWay);

    /// <returns>Null when the call may be made, and <see cref="Leave"/> follows; else why not, and how long to wait.</returns>
    public async ValueTask<(string Why, TimeSpan Wait)?> Enter(CancellationToken cancel)
    {
        if (!await bulkhead.Enter(cancel))
        {
            TurnedAway.Add(1, tag);
            return ("too many calls are under way", Bulkhead.Pause);
        }

        if (Circuit.Enter() is { } wait)
        {
            bulkhead.Leave();
            TurnedAway.Add(1, tag);
            return ("there has been no answer for a while, or a pause was asked for", wait);
        }

        return null;
    }

    public void Leave() => bulkhead.Leave();

    public void Dispose() => bulkhead.Dispose();
}
