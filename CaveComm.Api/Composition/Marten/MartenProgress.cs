using CaveComm.Projections.Commissions;
using CaveComm.Projections.Freelancers;
using CaveComm.Projections.Ledger;
using CaveComm.Projections.Payments;
using Npgsql;

namespace CaveComm.Api.Composition;

/// <summary>How far Marten's stored projections have got, read from the table where it keeps that.</summary>
internal sealed class MartenProgress(NpgsqlDataSource database, TimeProvider clock)
{
    /// <summary>A projection whose view is stored.</summary>
    public sealed record Stored(string Name, uint Version, Type View)
    {
        /// <summary>Its row's name.</summary>
        public string Shard => Version > 1 ? $"{Name}:V{Version}:All" : $"{Name}:All";
    }

    /// <summary>Where a projection stands.</summary>
    public sealed record At(Stored Projection, long Position, long HighWaterMark, long LagEvents, double LagSeconds);

    public static IReadOnlyList<Stored> Projections { get; } =
    [
        new(nameof(InboxProjection), new InboxProjection().Version, typeof(InboxItem)),
        new(nameof(ShopWindowProjection), new ShopWindowProjection().Version, typeof(ShopWindow)),
        new(nameof(BillingProjection), new BillingProjection().Version, typeof(BillingDay)),
        new(nameof(LedgerProjection), new LedgerProjection().Version, typeof(LedgerBook)),
        new(nameof(PurchaseProjection), new PurchaseProjection().Version, typeof(PurchaseTrack)),
    ];

    /// <exception cref="UnknownProjectionException">No stored projection is called so.</exception>
    public static Stored Find(string name) =>
        Projections.FirstOrDefault(it => it.Name == name) ?? throw new UnknownProjectionException(name, [.. Projections.Select(it => it.Name)]);

    public async Task<IReadOnlyList<At>> Read(CancellationToken cancel)
    {
        await using var command = database.CreateCommand(
            """
            with at as (
                select nr, coalesce((select p.last_seq_id from public.mt_event_progression p where p.name = shard), 0) as position
                from unnest($1) with ordinality as asked (shard, nr))
            select at.position,
                coalesce((select max(e.seq_id) from public.mt_events e), 0),
                (select count(*) from public.mt_events e where e.seq_id > at.position),
                (select e.timestamp from public.mt_events e where e.seq_id > at.position order by e.seq_id limit 1)
            from at order by at.nr
            """);
        command.Parameters.Add(new() { Value = Projections.Select(it => it.Shard).ToArray() });
        await using var rows = await command.ExecuteReaderAsync(cancel);
        var found = new List<At>();
        while (await rows.ReadAsync(cancel))
        {
            var oldest = rows.IsDBNull(3) ? (DateTimeOffset?)null : rows.GetFieldValue<DateTimeOffset>(3);
            var lag = oldest is { } since ? Math.Max(0, (clock.GetUtcNow() - since).TotalSeconds) : 0;
            found.Add(new(Projections[found.Count], rows.GetInt64(0), rows.GetInt64(1), rows.GetInt64(2), lag));
        }

        return found;
    }

    /// <summary>The last place in the log that a projection's view has applied.</summary>
    public async Task<long> Position(Stored projection, CancellationToken cancel)
    {
        await using var command = database.CreateCommand("select last_seq_id from public.mt_event_progression where name = $1");
        command.Parameters.Add(new() { Value = projection.Shard });
        return await command.ExecuteScalarAsync(cancel) as long? ?? 0;
    }
}
