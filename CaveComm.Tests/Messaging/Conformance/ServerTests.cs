using CaveComm.Messaging;
using CaveComm.Sandbox.PostgreSql;
using CaveComm.Tests.Support;
using Npgsql;
using Shouldly;

namespace CaveComm.Tests.Messaging.Conformance;

/// <summary>W1: the server under the messages is killed under load and comes back.</summary>
public sealed class ServerTests
{
    private static readonly PrivatePostgresOptions Options = new() { Database = "postgres" };

    [Fact]
    public async Task An_immediate_stop_of_PostgreSQL_under_load_loses_nothing_and_does_nothing_twice()
    {
        using var folder = new TestFolder();
        var server = await PrivatePostgres.Start(folder.Path, Options, CancellationToken.None);
        try
        {
            await using var world = await MessagingWorld.Create(server.ConnectionString);
            static void Quick(MessagingOptions options)
            {
                options.Timings = MessagingWorld.Fast with { Lease = TimeSpan.FromSeconds(4) };
                options.Backoff = [TimeSpan.FromMilliseconds(50)];
                options.MaxAttempts = 1_000;
            }

            TestNode[] nodes = [await world.StartNode(Quick), await world.StartNode(Quick)];
            using var enough = new CancellationTokenSource();
            var publishers = Enumerable.Range(0, 4).Select(publisher => Publish(world, nodes[publisher % 2], publisher, enough.Token)).ToList();
            for (var restart = 0; restart < Soak.Size(2, 20); restart++)
            {
                var before = world.Journal.Seen<Confirm>().Count();
                await Eventually.Holds("there is load", () => world.Journal.Seen<Confirm>().Count() > before + 50);
                await KillServer(folder);
                server.Leave();
                server = await PrivatePostgres.Start(folder.Path, Options, CancellationToken.None);
            }

            var last = world.Journal.Seen<Confirm>().Count();
            await Eventually.Holds("it runs again", () => world.Journal.Seen<Confirm>().Count() > last + 50);
            await enough.CancelAsync();
            var published = await Task.WhenAll(publishers);
            await Eventually.Holds("all is done", async () => await world.Stored() == 0);

            (await nodes[0].Messages.Count(CancellationToken.None)).Dead.ShouldBe(0);
            for (var publisher = 0; publisher < 4; publisher++)
            {
                var numbers = Enumerable.Range(1, published[publisher]).ToList();
                (await world.BookedIn($"work/{publisher}")).Order().ShouldBe(numbers);
                (await world.BookedIn($"work/{publisher}/confirmed")).Order().ShouldBe(numbers);
                if (publisher % 2 == 0) // These are a group, so they have an order as well.
                {
                    (await world.BookedIn($"work/{publisher}")).ShouldBe(numbers);
                }
            }
        }
        finally
        {
            await server.DisposeAsync();
        }
    }

    // What pg_ctl stop -m immediate sends: every process of the server drops dead, and the next start recovers from the log.
    private static async Task KillServer(TestFolder folder)
    {
        var cluster = Path.Combine(folder.Path, "postgres", "cluster");
        var postmaster = Postmaster.Read(cluster).ShouldNotBeNull();
        using var kill = System.Diagnostics.Process.Start("kill", ["-s", "QUIT", $"{postmaster.ProcessId}"]);
        await kill.WaitForExitAsync();
        await Eventually.Holds("the server is gone", () => postmaster.Look() != Postmaster.Life.Running);
    }

    // Whether a commit that was cut off took place is unknown to its publisher: it says the same again, under the same id.
    private static async Task<int> Publish(MessagingWorld world, TestNode node, int publisher, CancellationToken enough)
    {
        var number = 0;
        while (!enough.IsCancellationRequested)
        {
            number++;
            var book = new Book($"work/{publisher}", number);
            while (!await TryPublish(node, book, publisher % 2 == 0))
            {
                await Task.Delay(TimeSpan.FromMilliseconds(20), CancellationToken.None);
            }

            // No faster than it is handled, so that the end comes soon.
            await Eventually.Holds("the other end keeps up", () => world.Journal.Seen<Confirm>().Count(confirm => confirm.Stream == book.Stream) > number - 50);
        }

        return number;
    }

    private static async Task<bool> TryPublish(TestNode node, Book book, bool grouped)
    {
        try
        {
            await node.Publish(book, new DeliveryOptions { DeduplicationId = $"{book.Stream}/{book.Number}", GroupId = grouped ? book.Stream : null });
            return true;
        }
        catch (NpgsqlException)
        {
            return false;
        }
    }
}
