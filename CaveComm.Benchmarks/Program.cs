using CaveComm.Benchmarks;
using CaveComm.Benchmarks.EventStore;
using CaveComm.Benchmarks.Http;
using CaveComm.Benchmarks.Messaging;

using var stop = new CancellationTokenSource();
Console.CancelKeyPress += (_, interrupt) =>
{
    interrupt.Cancel = true;
    stop.Cancel();
};

return await BenchmarkRun.Run(
    [
        new AppendBenchmark(writers: 1),
        new AppendBenchmark(writers: 8),
        new AppendBenchmark(writers: 32),
        new ReadAppendBenchmark(),
        new BatchBenchmark(),
        new FoldBenchmark(events: 10),
        new FoldBenchmark(events: 1000),
        new SealedReadBenchmark(),
        new CommitToViewBenchmark(),
        new DaemonCostBenchmark(),
        new GrowthBenchmark(),
        new RebuildBenchmark(),
        new InboxRebuildBenchmark(isSealed: false),
        new InboxRebuildBenchmark(isSealed: true),
        new ThroughputBenchmark(groups: 0),
        new ThroughputBenchmark(groups: 100),
        new DrainBenchmark(),
        new AppendingHandlerBenchmark(),
        new PickUpBenchmark(elsewhere: false, grouped: false),
        new PickUpBenchmark(elsewhere: false, grouped: true),
        new PickUpBenchmark(elsewhere: true, grouped: false),
        new PickUpBenchmark(elsewhere: true, grouped: true),
        new ScheduleBenchmark(),
        new HeldSnapshotBenchmark(),
        new RequestBenchmark(),
        new InboxBenchmark(),
        new WebhooksBenchmark(),
    ],
    args,
    stop.Token);
