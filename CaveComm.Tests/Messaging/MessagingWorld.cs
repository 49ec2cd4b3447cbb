using CaveComm.EventStore;
using CaveComm.Messaging;
using CaveComm.Tests.Support;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace CaveComm.Tests.Messaging;

/// <summary>A database with a store, and as many nodes as a test wants.</summary>
internal sealed class MessagingWorld : IAsyncDisposable
{
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    /// <summary>The clockwork run faster. Nobody is taken for dead: the machine may be so busy that a living node is late.</summary>
    public static readonly MessagingTimings Fast = new() { Poll = TimeSpan.FromMilliseconds(200), DeadAfter = TimeSpan.FromMinutes(5) };

    /// <summary>As above, but a dead node is noticed in two seconds.</summary>
    public static readonly MessagingTimings Watchful = Fast with { Heartbeat = TimeSpan.FromMilliseconds(200), DeadAfter = TimeSpan.FromSeconds(2) };

    private static readonly Type[] Handlers =
        [typeof(PingHandler), typeof(BookHandler), typeof(ConfirmHandler), typeof(StepHandler), typeof(CallProviderHandler), typeof(SpreadHandler), typeof(HastyHandler), typeof(LookHandler)];

    private readonly List<TestNode> nodes = [];

    private MessagingWorld(TestDatabase database, DocumentStore store)
    {
        Database = database;
        Store = store;
    }

    public TestDatabase Database { get; }

    public DocumentStore Store { get; }

    public Journal Journal { get; } = new();

    /// <param name="server">The maintenance database of another server than the tests' own.</param>
    public static async Task<MessagingWorld> Create(string? server = null)
    {
        var database = await TestDatabase.Create(server);
        var store = StoreOver(database.ConnectionString);
        await store.ApplyAllConfiguredChangesToDatabaseAsync();
        return new MessagingWorld(database, store);
    }

    public static DocumentStore StoreOver(string database) => DocumentStore.For(options =>
    {
        options.Connection(database);
        options.Events.MapEventType<Booked>("test.booked");
    });

    /// <summary>What every node has, in this process or in one of its own.</summary>
    public static void AddNode(IServiceCollection services, string database, DocumentStore store, Journal journal, Action<MessagingOptions>? configure)
    {
        services.AddLogging(logging => logging.SetMinimumLevel(LogLevel.Critical));
        services.AddSingleton<IDocumentStore>(store);
        services.AddSingleton(journal);
        services.AddMessaging(options =>
        {
            options.Connection(database);
            options.Timings = Fast;
            options.ShutdownTimeout = TimeSpan.FromSeconds(2);
            options.MessagePartitioning.ByMessage<IBelongTo>(message => message.Group);
            foreach (var handler in Handlers)
            {
                options.IncludeHandler(handler);
            }

            configure?.Invoke(options);
        });
    }

    /// <summary>A node that is not started: it publishes and runs nothing.</summary>
    public TestNode Node(Action<MessagingOptions>? configure = null, TimeProvider? clock = null, Journal? journal = null)
    {
        var services = new ServiceCollection();
        if (clock is not null)
        {
            services.AddSingleton(clock);
        }

        AddNode(services, Database.ConnectionString, Store, journal ?? Journal, configure);
        var node = new TestNode(services.BuildServiceProvider(new ServiceProviderOptions { ValidateScopes = true, ValidateOnBuild = true }));
        nodes.Add(node);
        return node;
    }

    public async Task<TestNode> StartNode(Action<MessagingOptions>? configure = null, TimeProvider? clock = null, Journal? journal = null)
    {
        var node = Node(configure, clock, journal);
        await node.Start();
        return node;
    }

    /// <summary>The numbers booked into a stream, in order.</summary>
    public async Task<int[]> BookedIn(string stream)
    {
        await using var session = Store.QuerySession();
        return [.. (await session.Events.FetchStreamAsync(stream)).Select(e => ((Booked)e.Data).Number)];
    }

    public Task<long> Stored() => Database.Scalar<long>("select count(*) from cavecomm_messages");

    public async ValueTask DisposeAsync()
    {
        foreach (var node in nodes)
        {
            await node.DisposeAsync();
        }

        await Store.DisposeAsync();
        NpgsqlConnection.ClearAllPools();
        await Database.DisposeAsync();
    }
}

/// <summary>One node: a process of its own, as far as the database can tell.</summary>
internal sealed class TestNode(ServiceProvider services) : IAsyncDisposable
{
    public IMessageStore Messages => services.GetRequiredService<IMessageStore>();

    public MessagingNode Kernel => services.GetRequiredService<MessagingNode>();

    public AsyncServiceScope Scope() => services.CreateAsyncScope();

    public async Task Start()
    {
        foreach (var hosted in services.GetServices<IHostedService>())
        {
            await hosted.StartAsync(CancellationToken.None);
        }
    }

    public async Task Stop()
    {
        foreach (var hosted in services.GetServices<IHostedService>())
        {
            await hosted.StopAsync(CancellationToken.None);
        }
    }

    public void Kill() => Kernel.Kill();

    public async Task Publish<T>(T message, DeliveryOptions? options = null)
    {
        await using var scope = Scope();
        await scope.ServiceProvider.GetRequiredService<IMessageBus>().PublishAsync(message, options);
    }

    public ValueTask DisposeAsync() => services.DisposeAsync();
}
