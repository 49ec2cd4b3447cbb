using CaveComm.EventStore;
using CaveComm.Messaging;
using CaveComm.Tests.Support;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Npgsql;
using Shouldly;

namespace CaveComm.Tests.Messaging;

/// <summary>Behind a pooler that gives each transaction any session: what needs a session of its own goes by the direct way.</summary>
public class PoolerTests
{
    [Fact]
    public async Task Messages_and_events_go_through_a_pooler_that_shares_sessions_between_transactions()
    {
        const int Groups = 5;
        const int PerGroup = 12;
        await using var pooler = await Pooler.Start();
        await using var database = await TestDatabase.Create();
        await using var store = DocumentStore.For(options =>
        {
            options.Connection(pooler.Through(database.ConnectionString));
            options.DirectConnection(database.ConnectionString);
            options.Events.MapEventType<Booked>("test.booked");
        });
        await store.ApplyAllConfiguredChangesToDatabaseAsync(TestContext.Current.CancellationToken);
        var journal = new Journal();
        await using (var worker = Node(pooler, database, store, journal))
        await using (var publisher = Node(pooler, database, store, journal))
        {
            await worker.Start();

            // One group goes on after another, from both; what the stranger publishes is only heard of over the listening connection.
            await Task.WhenAll(Enumerable.Range(0, Groups).Select(async group =>
            {
                for (var number = 1; number <= PerGroup; number++)
                {
                    await (number % 2 == 0 ? worker : publisher).Publish(new Step($"group-{group}", number));
                }
            }));
            await Task.WhenAll(Enumerable.Range(0, 20).Select(number => worker.Publish(new Book("book", number))));
            await worker.Publish(new Ping("later"), new DeliveryOptions { ScheduleDelay = TimeSpan.FromMilliseconds(300) });
            await Eventually.Holds("all is done", async () => journal.Seen<Ping>().Any() && await database.Scalar<long>("select count(*) from cavecomm_messages") == 0);
        }

        await using var session = store.QuerySession();
        for (var group = 0; group < Groups; group++)
        {
            (await Numbers($"group-{group}")).ShouldBe(Enumerable.Range(1, PerGroup));
        }

        (await Numbers("book/confirmed")).Order().ShouldBe(Enumerable.Range(0, 20));
        NpgsqlConnection.ClearAllPools();

        async Task<IEnumerable<int>> Numbers(string stream) => (await session.Events.FetchStreamAsync(stream)).Select(e => ((Booked)e.Data).Number);
    }

    private static TestNode Node(Pooler pooler, TestDatabase database, DocumentStore store, Journal journal)
    {
        var services = new ServiceCollection();
        services.AddLogging(logging => logging.SetMinimumLevel(LogLevel.Critical));
        services.AddSingleton<IDocumentStore>(store);
        services.AddSingleton(journal);
        services.AddMessaging(options =>
        {
            options.Connection(pooler.Through(database.ConnectionString));
            options.ListenConnection(database.ConnectionString);
            options.Timings = new MessagingTimings { Poll = TimeSpan.FromMinutes(5), DeadAfter = TimeSpan.FromMinutes(5) };
            options.MessagePartitioning.ByMessage<IBelongTo>(message => message.Group);
            foreach (var handler in (Type[])[typeof(PingHandler), typeof(BookHandler), typeof(ConfirmHandler), typeof(StepHandler)])
            {
                options.IncludeHandler(handler);
            }
        });
        return new TestNode(services.BuildServiceProvider());
    }
}
