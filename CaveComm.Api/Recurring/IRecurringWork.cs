namespace CaveComm.Api.Recurring;

/// <summary>Work that comes round by itself, on one node at a time, however many there are.</summary>
public interface IRecurringWork
{
    /// <summary>Stored with the series and used in settings: never change it.</summary>
    string Name { get; }

    /// <summary>How often, unless <c>CaveComm:Recurring:{Name}</c> says otherwise.</summary>
    TimeSpan Every { get; }

    /// <summary>Does one round. It may run again after a crash; its database work commits with the plan for the next round.</summary>
    /// <returns>Messages that carry the work on. A long round goes on in messages of its own, so that each is short.</returns>
    Task<OutgoingMessages> Run(IDocumentSession session, DateTimeOffset now, CancellationToken cancel);
}

/// <summary>All recurring work of this node, with the intervals of its configuration.</summary>
public sealed class RecurringWorks
{
    private const string Section = "CaveComm:Recurring";

    private static readonly TimeSpan Shortest = TimeSpan.FromSeconds(1);

    private readonly Dictionary<string, (IRecurringWork Work, TimeSpan Every)> works = new(StringComparer.Ordinal);

    /// <exception cref="InvalidOperationException">An interval is set for work that does not exist, or it is none.</exception>
    public RecurringWorks(IEnumerable<IRecurringWork> works, IConfiguration configuration)
    {
        ArgumentNullException.ThrowIfNull(works);
        ArgumentNullException.ThrowIfNull(configuration);
        var set = configuration.GetSection(Section).GetChildren().ToDictionary(it => it.Key, it => it.Value, StringComparer.OrdinalIgnoreCase);
        foreach (var work in works)
        {
            var every = set.Remove(work.Name, out var text) ? Parse(work.Name, text) : work.Every;
            if (every > TimeSpan.Zero)
            {
                this.works.Add(work.Name, (work, every));
            }
        }

        if (set.Keys.FirstOrDefault() is { } unknown)
        {
            throw new InvalidOperationException($"{Section}:{unknown} is set, but no recurring work is called {unknown}.");
        }
    }

    public IEnumerable<(string Name, TimeSpan Every)> All => works.Select(it => (it.Key, it.Value.Every));

    /// <returns>Null when this node does not know it, or it is switched off.</returns>
    public (IRecurringWork Work, TimeSpan Every)? Find(string name) => works.TryGetValue(name, out var found) ? found : null;

    private static TimeSpan Parse(string name, string? text) =>
        TimeSpan.TryParse(text, System.Globalization.CultureInfo.InvariantCulture, out var every) && (every == TimeSpan.Zero || every >= Shortest)
            ? every
            : throw new InvalidOperationException($"{Section}:{name} is an interval such as 01:00:00 (an hour) or 1.00:00:00 (a day); 00:00:00 switches it off.");
}
