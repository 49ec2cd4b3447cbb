namespace CaveComm.Api.Recurring;

/// <summary>Where a series stands. Only the message that carries <see cref="Occurrence"/> may run, so a series never splits in two.</summary>
/// <param name="Id">The work's name.</param>
/// <param name="Occurrence">The number of the next round.</param>
/// <param name="Every">The interval that <paramref name="DueAt"/> was planned with.</param>
/// <param name="RanAt">When the last round was done (UTC); null before the first.</param>
public sealed record RecurringSeries(string Id, long Occurrence, DateTimeOffset DueAt, TimeSpan Every, DateTimeOffset? RanAt)
{
    /// <summary>How late a round may be before it is taken for lost: it died as a message, or a restored database does not hold it.</summary>
    public static readonly TimeSpan Grace = TimeSpan.FromMinutes(15);

    /// <summary>The first round is due at once.</summary>
    public static RecurringSeries Begin(string name, TimeSpan every, DateTimeOffset now) => new(name, 1, now, every, null);

    /// <summary>The plan after a round. It keeps its rhythm; what was missed while nobody ran is missed, not made up for round by round.</summary>
    public RecurringSeries Next(TimeSpan every, DateTimeOffset now)
    {
        var rounds = now < DueAt ? 1 : ((now - DueAt).Ticks / every.Ticks) + 1;
        return this with { Occurrence = Occurrence + 1, DueAt = DueAt + (every * rounds), Every = every, RanAt = now };
    }

    /// <summary>The plan, if it has to change: the interval is another now, or the round is long overdue. Its number rises, so the message planned before does nothing.</summary>
    /// <returns>Null when all is as it should be.</returns>
    public RecurringSeries? Mended(TimeSpan every, DateTimeOffset now)
    {
        if (now > DueAt + Grace)
        {
            return this with { Occurrence = Occurrence + 1, DueAt = now, Every = every };
        }

        if (Every == every)
        {
            return null;
        }

        var due = RanAt is { } ran ? ran + every : DueAt;
        return this with { Occurrence = Occurrence + 1, DueAt = due < now ? now : due, Every = every };
    }
}

/// <summary>A message of a recurring series; those of one series run one at a time.</summary>
public interface IRecurringMessage
{
    string Series { get; }
}

/// <summary>A round is due.</summary>
/// <param name="Occurrence">Which; it does nothing when the series has moved on.</param>
public sealed record RecurringDue(string Series, long Occurrence) : IRecurringMessage;

/// <summary>Some node finds that a series is missing, overdue, or planned with another interval than its own.</summary>
public sealed record TendRecurring(string Series) : IRecurringMessage;

/// <summary>Does a round and plans the next, in one transaction.</summary>
public static class RecurringDueHandler
{
    public static async Task<OutgoingMessages> Handle(RecurringDue due, IDocumentSession session, RecurringWorks works, TimeProvider clock, CancellationToken cancel)
    {
        // A node without that work (an older one, or one where it is switched off) lets the series rest; another one mends it.
        if (works.Find(due.Series) is not var (work, every)
            || await session.LoadAsync<RecurringSeries>(due.Series, cancel) is not { } series
            || series.Occurrence != due.Occurrence)
        {
            return [];
        }

        var now = clock.GetUtcNow();
        var messages = await work.Run(session, now, cancel);
        Plan(session, messages, series.Next(every, now));
        return messages;
    }

    internal static void Plan(IDocumentSession session, OutgoingMessages messages, RecurringSeries series)
    {
        session.Store(series);
        messages.Schedule(new RecurringDue(series.Id, series.Occurrence), series.DueAt);
    }
}

/// <summary>Begins a series, or brings it back in order. In the series' own group, so it never meets a round that is running or waits for its retry.</summary>
public static class TendRecurringHandler
{
    public static async Task<OutgoingMessages> Handle(TendRecurring asked, IDocumentSession session, RecurringWorks works, TimeProvider clock, CancellationToken cancel)
    {
        var messages = new OutgoingMessages();
        if (works.Find(asked.Series) is var (_, every))
        {
            var now = clock.GetUtcNow();
            var series = await session.LoadAsync<RecurringSeries>(asked.Series, cancel);
            if ((series is null ? RecurringSeries.Begin(asked.Series, every, now) : series.Mended(every, now)) is { } planned)
            {
                RecurringDueHandler.Plan(session, messages, planned);
            }
        }

        return messages;
    }
}
