using CaveComm.Api.Composition;
using CaveComm.Api.Notifications;
using CaveComm.Api.OwnAccount;
using CaveComm.Api.Recurring;
using CaveComm.EventStore;
using CaveComm.Messaging;
using CaveComm.Tests.Messaging;
using CaveComm.Tests.Support;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace CaveComm.Tests.Recurring;

/// <summary>Nodes that run one series, by a clock that is moved by hand.</summary>
internal sealed class RecurringWorld : IAsyncDisposable
{
    private readonly List<ServiceProvider> nodes = [];

    private RecurringWorld(TestDatabase database, DocumentStore store)
    {
        Database = database;
        Store = store;
    }

    public TestDatabase Database { get; }

    public DocumentStore Store { get; }

    public SteppingClock Clock { get; } = new();

    /// <summary>Shared by all nodes, as a provider's books would be.</summary>
    public Tally Tally { get; } = new();

    public static async Task<RecurringWorld> Create()
    {
        var database = await TestDatabase.Create();
        var store = DocumentStore.For(options =>
        {
            options.Connection(database.ConnectionString);
            options.Schema.For<RecurringSeries>();
        });
        await store.ApplyAllConfiguredChangesToDatabaseAsync();
        return new RecurringWorld(database, store);
    }

    /// <param name="every">The interval in this node's configuration; null for the usual.</param>
    public async Task<Node> Start(TimeSpan? every = null)
    {
        var services = new ServiceCollection();
        services.AddLogging(logging => logging.SetMinimumLevel(LogLevel.Critical));
        services.AddSingleton<IDocumentStore>(Store);
        services.AddSingleton<TimeProvider>(Clock);
        services.AddSingleton(new RecurringWorks(
            [Tally],
            new ConfigurationBuilder().AddInMemoryCollection(every is { } set ? [new("CaveComm:Recurring:tally", set.ToString())] : []).Build()));
        services.AddSingleton<RecurringKeeper>();
        services.AddMessaging(options =>
        {
            options.Connection(Database.ConnectionString);
            options.Timings = MessagingWorld.Fast;
            options.ShutdownTimeout = TimeSpan.FromSeconds(2);
            options.IncludeHandler(typeof(RecurringDueHandler));
            options.IncludeHandler(typeof(TendRecurringHandler));
            options.IncludeHandler(typeof(NoLetters));
            MessagePolicies.Apply(options);
        });
        var provider = services.BuildServiceProvider();
        nodes.Add(provider);
        foreach (var hosted in provider.GetServices<IHostedService>())
        {
            await hosted.StartAsync(CancellationToken.None);
        }

        return new Node(provider);
    }

    public async Task<RecurringSeries?> Series()
    {
        await using var session = Store.QuerySession();
        return await session.LoadAsync<RecurringSeries>("tally");
    }

    /// <summary>Messages that would still run a round; one that the series has passed does nothing.</summary>
    public Task<long> Planned() => Database.Scalar<long>(
        """
        select count(*) from cavecomm_messages m, mt_doc_recurringseries s
        where m.type = 'recurring-due' and m.body ->> 'occurrence' = s.data ->> 'occurrence'
        """);

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

    internal sealed class Node(ServiceProvider services)
    {
        public IMessageStore Messages => services.GetRequiredService<IMessageStore>();

        /// <summary>What each node does at its start and every minute.</summary>
        public Task Look() => services.GetRequiredService<RecurringKeeper>().Look(TestContext.Current.CancellationToken);

        public Task Idle() => Messages.WaitForIdle(MessagingWorld.Patience);

        public void Kill() => services.GetRequiredService<MessagingNode>().Kill();
    }
}

/// <summary>The policies name letters, so somebody must take them; none is written here.</summary>
public static class NoLetters
{
    public static void Handle(MailCustomer letter) => throw new InvalidOperationException($"Nobody writes letters here: {letter}.");

    public static void Handle(MailFreelancer letter) => throw new InvalidOperationException($"Nobody writes letters here: {letter}.");

    public static void Handle(MailAccount letter) => throw new InvalidOperationException($"Nobody writes letters here: {letter}.");

    public static void Handle(MailInvitation letter) => throw new InvalidOperationException($"Nobody writes letters here: {letter}.");
}
