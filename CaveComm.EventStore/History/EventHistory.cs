using System.Runtime.CompilerServices;
using Npgsql;

namespace CaveComm.EventStore;

/// <summary>The log as auditors see it.</summary>
internal sealed class EventHistory(DocumentStore store) : IEventHistory
{
    private const int PageSize = 1000;

    public async IAsyncEnumerable<StoredEvent> Read(EventFilter filter, [EnumeratorCancellation] CancellationToken cancel)
    {
        // Page by page, so that a slow listener keeps no snapshot open. Off the pool, since a plan for the whole log and one for
        // a single stream are different: each page is planned for what is asked.
        await using var connection = await store.OpenDedicated("history", cancel, isPatient: true);
        await connection.Execute("set plan_cache_mode = force_custom_plan; set jit = off", cancel);
        var end = await LogEnd.Find(store, connection, cancel);
        for (var after = filter.After; after < end;)
        {
            await using var command = new NpgsqlCommand(store.EventSql.History, connection)
            {
                Parameters =
                {
                    Sql.Number(after),
                    Sql.Number(end),
                    Sql.Count(PageSize),
                    Sql.OptionalText(filter.Type),
                    Sql.OptionalText(filter.Stream),
                    Sql.OptionalInstant(filter.From),
                    Sql.OptionalInstant(filter.To),
                },
            };
            List<StoredEvent> page;
            await using (var rows = await command.ExecuteReaderAsync(cancel))
                page = await store.EventReader.ReadStored(rows, cancel);
            foreach (var stored in page)
                yield return stored;
            if (page.Count < PageSize)
                yield break;
            after = page[^1].Sequence;
        }
    }

    public Task<Verification> Verify(IProgress<VerificationProgress>? progress, CancellationToken cancel) =>
        new ChainVerification(store).Run(progress, cancel);

    public async IAsyncEnumerable<StreamHead> Heads([EnumeratorCancellation] CancellationToken cancel)
    {
        var after = "";
        while (true)
        {
            var page = new List<StreamHead>(PageSize);
            await using (var command = store.DataSource.CreateCommand(store.EventSql.Heads))
            {
                command.Parameters.Add(Sql.Text(after));
                command.Parameters.Add(Sql.Count(PageSize));
                await using var rows = await command.ExecuteReaderAsync(cancel);
                while (await rows.ReadAsync(cancel))
                    page.Add(new(rows.GetString(0), rows.GetInt64(1), rows.IsDBNull(2) ? null : rows.GetString(2)));
            }

            foreach (var head in page)
                yield return head;
            if (page.Count < PageSize)
                yield break;
            after = page[^1].StreamKey;
        }
    }

    public async Task<BrokenEvent?> Compare(IAsyncEnumerable<StreamHead> heads, CancellationToken cancel)
    {
        var page = new List<StreamHead>(PageSize);
        await foreach (var head in heads.WithCancellation(cancel))
        {
            page.Add(head);
            if (page.Count < PageSize)
                continue;
            if (await Compare(page, cancel) is { } broken)
                return broken;
            page.Clear();
        }

        return await Compare(page, cancel);
    }

    private async Task<BrokenEvent?> Compare(List<StreamHead> page, CancellationToken cancel)
    {
        await using var command = store.DataSource.CreateCommand(store.EventSql.AtHeads);
        command.Parameters.Add(Sql.Texts([.. page.Select(it => it.StreamKey)]));
        command.Parameters.Add(Sql.Numbers([.. page.Select(it => it.Version)]));
        command.Parameters.Add(Sql.Texts([.. page.Select(it => it.Hash ?? "")]));
        await using var rows = await command.ExecuteReaderAsync(cancel);
        foreach (var head in page)
        {
            await rows.ReadAsync(cancel);
            if (rows.IsDBNull(0))
                return new(head.StreamKey, head.Version, null, null, $"Version {head.Version} was there when the heads were told, and is missing.");
            if (head.Hash != (rows.IsDBNull(2) ? null : rows.GetString(2)))
                return new(head.StreamKey, head.Version, rows.GetGuid(1), rows.GetInt64(0), "Its hash, or what it follows, is not what it was when the heads were told.");
        }

        return null;
    }
}
