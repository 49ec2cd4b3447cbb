using System.Text;
using Npgsql;

namespace CaveComm.EventStore;

/// <summary>Walks all streams, one after the other, and recomputes every hash.</summary>
/// <remarks>
/// One statement reads all, so it sees one moment of the log, and writers go on meanwhile. PostgreSQL gives the rows in the order of the index over
/// streams and versions, so nothing is sorted and nothing kept, and this side hashes: both processors have work.
/// What Marten fills burnt numbers with (<see cref="Tombstones"/>) is left out; whatever else stands in their stream is not.
/// </remarks>
internal sealed class ChainVerification(DocumentStore store)
{
    private const long ReportEvery = 20_000;
    private const long First = 1;

    // The columns of the copy.
    private const int Sequence = 0, EventId = 1, Stream = 2, Version = 3, Data = 4, Alias = 5, Timestamp = 6, Actor = 7, Hash = 8, RowVersion = 9;

    private readonly HashedContent content = new();
    private readonly byte[] computed = new byte[64];
    private readonly StreamBefore last = new();
    private readonly string schema = store.Options.DatabaseSchemaName;
    private long events;
    private long streams;
    private long unsealed;

    // Streams are walked in the order of their keys, and the first event of the log that does not fit is asked for.
    private BrokenEvent? broken;
    private long brokenAt = long.MaxValue;

    public async Task<Verification> Run(IProgress<VerificationProgress>? progress, CancellationToken cancel)
    {
        await using var connection = await store.OpenDedicated("verify", cancel, isPatient: true);
        await connection.Execute(
            """
            set enable_sort = off; set enable_incremental_sort = off; set enable_seqscan = off; set enable_hashjoin = off;
            set enable_nestloop = off; set max_parallel_workers_per_gather = 0; set jit = off;
            set default_transaction_isolation = 'read committed'; set default_transaction_read_only = on
            """,
            cancel);
        var total = await connection.Scalar<long>($"select count(*) from {schema}.mt_events", cancel);
        await WalkEvents(connection, total, progress, cancel);
        if (broken is null)
            await FindEmptyStream(connection, cancel);
        progress?.Report(new(events, Math.Max(total, events)));
        return new(events, streams, unsealed, broken);
    }

    private async Task WalkEvents(NpgsqlConnection connection, long total, IProgress<VerificationProgress>? progress, CancellationToken cancel)
    {
        var copy = await connection.BeginRawBinaryCopyAsync(
            $"""
            copy (
                select e.seq_id, e.id, coalesce(e.stream_id, ''), e.version, e.data::text, e.type, e.timestamp, e.headers ->> 'actor',
                    e.headers ->> 'hash', s.version
                from {schema}.mt_events e left join {schema}.mt_streams s on s.id = e.stream_id
                where not {Tombstones.Condition}
                order by e.stream_id, e.version)
            to stdout (format binary)
            """,
            cancel);
        await using var rows = new CopiedRows(copy, columns: 10);
        while (await rows.Next(cancel))
        {
            Look(rows);
            if (++events % ReportEvery == 0)
                progress?.Report(new(events, Math.Max(total, events)));
        }

        EndStream();
    }

    private void Look(CopiedRows row)
    {
        if (!last.Is(row.Bytes(Stream)))
        {
            EndStream();
            streams++;
            last.Begin(row.Bytes(Stream), row.IsNull(RowVersion) ? null : row.Number(RowVersion));
        }

        var isSealed = !row.IsNull(Hash);
        if (!isSealed)
            unsealed++;
        if (!last.IsWhole)
            return; // What comes after a break cannot be judged.

        var (version, sequence) = (row.Number(Version), row.Number(Sequence));
        var due = last.Version + 1;
        if (version > due)
            Break(sequence, new(last.Key, due, null, null, $"Version {due} is missing; version {version} is there."));
        else if (version < due)
            Break(sequence, new(last.Key, version, row.Id(EventId), sequence, $"It says version {version} where {due} is due."));
        else if (sequence < First)
            Break(sequence, new(last.Key, version, row.Id(EventId), sequence, "It stands before the log's first place, where no export and no view begins to read."));
        else if (sequence <= last.Sequence)
            Break(sequence, new(last.Key, version, row.Id(EventId), sequence, $"It stands in the log before version {last.Version}, which it follows."));
        else if (isSealed && !Fits(row))
            Break(sequence, new(last.Key, version, row.Id(EventId), sequence, "Its hash is not that of its content and of the event before it."));
        else
            last.Follow(version, sequence, row.Bytes(Hash));
    }

    private bool Fits(CopiedRows row)
    {
        content.Hash(
            last.Hash, row.Number(Timestamp), !row.IsNull(Actor), row.Bytes(Actor), row.Bytes(Stream), row.Id(EventId), row.Number(Version),
            row.Bytes(Alias), row.Bytes(Data), computed);
        return row.Bytes(Hash).SequenceEqual(computed);
    }

    private void EndStream()
    {
        if (!last.IsWhole)
            return;
        if (last.RowVersion is not { } version)
            Break(last.Sequence, new(last.Key, last.Version, null, last.Sequence, "Its stream has no row."));
        else if (version > last.Version)
            Break(last.Sequence, new(last.Key, last.Version + 1, null, null, $"Version {last.Version + 1} is missing; the stream's row says version {version}."));
        else if (version < last.Version)
            Break(last.Sequence, new(last.Key, last.Version, null, last.Sequence, $"It is behind the version of the stream's row, {version}."));
    }

    private void Break(long sequence, BrokenEvent found)
    {
        last.IsWhole = false;
        if (sequence < brokenAt)
            (broken, brokenAt) = (found, sequence);
    }

    private async Task FindEmptyStream(NpgsqlConnection connection, CancellationToken cancel)
    {
        await using var command = new NpgsqlCommand(
            $"""
            select s.id, s.version from {schema}.mt_streams s
            where s.version > 0 and not exists (select from {schema}.mt_events e where e.stream_id = s.id) order by s.id limit 1
            """,
            connection);
        await using var row = await command.ExecuteReaderAsync(cancel);
        if (await row.ReadAsync(cancel))
            broken = new(row.GetString(0), 1, null, null, $"Version 1 is missing; the stream's row says version {row.GetInt64(1)}.");
    }

    /// <summary>The stream that is being walked, up to the event before.</summary>
    private sealed class StreamBefore
    {
        private readonly byte[] hash = new byte[64];
        private byte[] key = [];
        private int hashLength;

        public string Key => Encoding.UTF8.GetString(key);

        /// <summary>False once something in it did not fit, and before the first stream.</summary>
        public bool IsWhole { get; set; }

        public long Version { get; private set; }

        public long Sequence { get; private set; }

        public long? RowVersion { get; private set; }

        /// <summary>Empty where the event before has none.</summary>
        public ReadOnlySpan<byte> Hash => hash.AsSpan(0, hashLength);

        public bool Is(ReadOnlySpan<byte> other) => begun && other.SequenceEqual(key);

        private bool begun;

        public void Begin(ReadOnlySpan<byte> stream, long? rowVersion)
        {
            key = stream.ToArray();
            (begun, IsWhole, Version, Sequence, RowVersion, hashLength) = (true, true, 0, long.MinValue, rowVersion, 0);
        }

        /// <param name="stored">Of 64 digits, since it was computed; or empty.</param>
        public void Follow(long version, long sequence, ReadOnlySpan<byte> stored)
        {
            (Version, Sequence, hashLength) = (version, sequence, stored.Length);
            stored.CopyTo(hash);
        }
    }
}
