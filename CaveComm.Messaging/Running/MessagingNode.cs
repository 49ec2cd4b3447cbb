using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace CaveComm.Messaging;

/// <summary>This process's part in messaging: it takes messages into hand, runs them, and gives them back when it stops.</summary>
/// <remarks>
/// A message is run from memory by the node that published it, straight after the commit, unless others of its group were there before. Then it is
/// taken from the table, where the order is known: after each commit and each end the group's first message is looked up, and taken if it is free.
/// A process that only publishes never starts the node; its messages are left for others.
/// </remarks>
internal sealed class MessagingNode : IHostedService, IAsyncDisposable
{
    private readonly MessagingOptions options;
    private readonly Dictionary<string, QueueRunner> queues;
    private readonly LeaseKeeper leases;
    private readonly Endings ends;
    private readonly GroupGate groups;
    private readonly NodeRegistry registry;
    private readonly Neighbours neighbours;
    private readonly Poller poller;
    private readonly Maintenance maintenance;
    private readonly Signal bell = new();
    private readonly DueTimer timer;
    private readonly CancellationTokenSource taking = new();
    private readonly CancellationTokenSource stopped = new();
    private readonly CancellationTokenSource abandoned = new();
    private readonly BackgroundLoops loops;
    private readonly List<Task> workers = [];
    private readonly List<Task> drains = [];
    private volatile bool running;
    private volatile bool killed;
    private bool disposed;

    public MessagingNode(MessagingOptions options, MessageCatalog catalog, MessageFactory factory, IServiceScopeFactory scopes, TimeProvider clock, ILogger<MessagingNode> log)
    {
        this.options = options;
        var settings = new NpgsqlDataSourceBuilder(options.ConnectionString);
        if (options.ListenConnectionString is null)
        {
            // A prepared statement belongs to a session, so behind a pooler only the connection string may ask for it (PgBouncer can from 1.21 on).
            settings.ConnectionStringBuilder.MaxAutoPrepare = 100;
            settings.ConnectionStringBuilder.AutoPrepareMinUsages = 2;
        }

        settings.ConnectionStringBuilder.NoResetOnClose = true; // Nothing here leaves a trace in the session.
        settings.ConnectionStringBuilder.ApplicationName ??= "cavecomm messages";
        Database = settings.Build();
        Executor = new HandlerExecutor(this, catalog, options, scopes, factory);
        var runner = new MessageRunner(this, options, clock, log);
        queues = options.Queues.ToDictionary(queue => queue.Key, queue => new QueueRunner(queue.Value, runner.Run, Poke), StringComparer.Ordinal);
        leases = new LeaseKeeper(this);
        groups = new GroupGate(this, catalog, [.. queues.Values], clock, log);
        ends = new Endings(this, groups, log);
        loops = new BackgroundLoops(log);
        registry = new NodeRegistry(this, options.Timings, log);
        neighbours = new Neighbours(this, options.ListenConnectionString ?? options.ConnectionString, log);
        timer = new DueTimer(clock, bell.Ring);
        poller = new Poller(this, catalog, [.. queues.Values], groups, clock, options.Timings.Poll, bell, timer);
        maintenance = new Maintenance(this, catalog, [.. queues.Values], poller, options.Timings, clock);
    }

    public Guid Id { get; } = Guid.CreateVersion7();

    public NpgsqlDataSource Database { get; }

    public HandlerExecutor Executor { get; }

    public TimeSpan Lease => options.Timings.Lease;

    /// <summary>Cancelled when running handlers have had their time.</summary>
    public CancellationToken Stopped => stopped.Token;

    /// <summary>Cancelled when nobody waits for them any longer.</summary>
    public CancellationToken Abandoned => abandoned.Token;

    public bool IsGivingUp => stopped.IsCancellationRequested;

    /// <summary>Whether this node takes messages.</summary>
    public bool IsRunning => running;

    public bool IsKilled => killed;

    public async Task StartAsync(CancellationToken cancellationToken)
    {
        await MessagingSchema.Ensure(Database, cancellationToken);
        await registry.Announce(cancellationToken);
        drains.AddRange([Task.Run(() => ends.Run(abandoned.Token), CancellationToken.None), Task.Run(() => groups.Run(abandoned.Token), CancellationToken.None)]);
        workers.AddRange(queues.Values.SelectMany(queue => queue.Start(taking.Token)));
        loops.Start("polling", poller.Run, taking.Token);
        loops.Start("listening", neighbours.Listen, taking.Token);
        loops.Start("heartbeat", registry.Run, stopped.Token);
        loops.Start("leases", leases.Run, stopped.Token);
        loops.Start("maintenance", maintenance.Run, taking.Token);
        running = true;
    }

    public async Task StopAsync(CancellationToken cancellationToken)
    {
        if (!running || killed)
        {
            return;
        }

        running = false;
        await taking.CancelAsync();
        var working = Task.WhenAll(workers);
        if (await Task.WhenAny(working, Task.Delay(options.ShutdownTimeout, cancellationToken)) != working)
        {
            await stopped.CancelAsync();
            await Task.WhenAny(working, Task.Delay(TimeSpan.FromSeconds(2), CancellationToken.None));
        }

        ends.Complete();
        groups.Complete();
        await Task.WhenAny(Task.WhenAll(drains), Task.Delay(TimeSpan.FromSeconds(2), CancellationToken.None));
        await stopped.CancelAsync();
        await abandoned.CancelAsync();
        await loops.End();
        await registry.Leave(); // Handlers that still run are fenced off from here on.
        neighbours.Call();
    }

    /// <summary>For tests: the process is gone; nothing is finished and nothing given back.</summary>
    public void Kill()
    {
        killed = true;
        running = false;
        taking.Cancel();
        stopped.Cancel();
        abandoned.Cancel();
    }

    /// <exception cref="OperationCanceledException">The process is gone.</exception>
    public void ThrowIfKilled()
    {
        if (killed)
        {
            throw new OperationCanceledException("The node is gone.");
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (disposed)
        {
            return; // The container holds it as a node and as a hosted service.
        }

        disposed = true;
        Kill();
        await loops.End();
        timer.Dispose();
        bell.Dispose();
        taking.Dispose();
        await Database.DisposeAsync();
    }

    /// <summary>Whether a message of this queue that is being stored may go straight into this node's hands.</summary>
    public bool HasRoom(string queue) => running && queues[queue].HasRoom;

    public bool HoldsGroup(string group) => groups.Holds(group);

    public long FloorOf(string group) => groups.FloorOf(group);

    /// <summary>What was published is in the table now.</summary>
    public void AfterCommit(IReadOnlyList<OutgoingMessage> messages)
    {
        if (killed)
        {
            return;
        }

        foreach (var message in messages)
        {
            if (message.Owned)
            {
                if (options.Probe is null)
                {
                    HandOver(message);
                }
                else
                {
                    _ = Task.Run(() => HandOverProbed(message));
                }
            }
            else if (message.Scheduled)
            {
                timer.Note(message.DueAt);
            }
            else if (!running)
            {
                neighbours.Call();
            }
            else if (message.GroupId is { } group && message.DeduplicationId is null)
            {
                groups.Joined(group);
            }
            else
            {
                Poke();
                CallNeighbours();
            }
        }
    }

    public void TakeInHand(IReadOnlyList<Delivery> deliveries)
    {
        foreach (var delivery in deliveries)
        {
            if (leases.Hold(delivery))
            {
                groups.Hold(delivery);
                queues[delivery.Type.Queue].Add(delivery);
            }
        }
    }

    /// <summary>Has the poller look at once.</summary>
    public void Poke() => bell.Ring();

    /// <summary>The server was reached, at first or again.</summary>
    public void Reconnected()
    {
        groups.ForgetFloors();
        Poke(); // What was called before we listened.
    }

    /// <summary>The handler needed no transaction: end the message soon, together with others.</summary>
    public void Acknowledge(Delivery delivery) => ends.Add(delivery);

    /// <summary>The message is no longer in the table.</summary>
    public void Ended(Delivery delivery)
    {
        leases.Drop(delivery);
        groups.Ended(delivery);
    }

    public void Postponed(Delivery delivery, DateTimeOffset due)
    {
        leases.Drop(delivery);
        groups.LetGo(delivery);
        timer.Note(due);
    }

    /// <summary>Lets go without a word; the message is another node's, or will be.</summary>
    public void Forget(Delivery delivery)
    {
        leases.Drop(delivery);
        groups.Ended(delivery);
    }

    /// <summary>Runs commands whose rows nobody reads, in one transaction.</summary>
    public async Task Execute(Action<NpgsqlBatch> fill, CancellationToken cancel)
    {
        await using var connection = await Database.OpenConnectionAsync(cancel);
        await using var batch = new NpgsqlBatch(connection);
        fill(batch);
        await batch.ExecuteNonQueryAsync(cancel);
    }

    /// <summary>Runs commands in one transaction; errors of commands behind the rows come up too.</summary>
    public async Task Execute(Action<NpgsqlBatch> fill, Func<NpgsqlDataReader, CancellationToken, ValueTask> read, CancellationToken cancel)
    {
        await using var connection = await Database.OpenConnectionAsync(cancel);
        await using var batch = new NpgsqlBatch(connection);
        fill(batch);
        await using var rows = await batch.ExecuteReaderAsync(cancel);
        await read(rows, cancel);
        while (await rows.NextResultAsync(cancel))
        {
        }
    }

    private async Task HandOverProbed(OutgoingMessage message)
    {
        await options.Probe!(DeliveryStep.Stored, message.Id);
        if (!killed)
        {
            HandOver(message);
        }
    }

    private void HandOver(OutgoingMessage message)
    {
        // After a commit that took longer than the lease somebody else may have it.
        if (running && Environment.TickCount64 - message.OwnedSince < Lease.TotalMilliseconds / 2)
        {
            TakeInHand([new Delivery(message.Id, message.Type, message.GroupId, message.Seq, 1, 0, message.DueAt, message.Message, null, message.Envelope, message.OwnedSince)]);
        }
    }

    private void CallNeighbours()
    {
        if (registry.HasOthers)
        {
            neighbours.Call();
        }
    }
}
