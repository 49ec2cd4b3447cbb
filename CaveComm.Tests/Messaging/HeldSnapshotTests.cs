using System.Data;
using CaveComm.Messaging;
using CaveComm.Tests.Support;
using Npgsql;
using Shouldly;

namespace CaveComm.Tests.Messaging;

/// <summary>W6: an old snapshot held open elsewhere, as by a dump or a forgotten console.</summary>
public class HeldSnapshotTests
{
    /// <summary>What one finished message may leave behind while nothing may be cleared away: its row as inserted and as taken, and its index entries.</summary>
    private const long BytesPerMessage = 1_024;

    private const long Slack = 2 << 20;

    private static readonly int PerSecond = Soak.Size(100, 800);
    private static readonly int Seconds = Soak.Size(4, 120);

    [Fact]
    public async Task While_a_snapshot_is_held_nothing_is_lost_the_rate_is_kept_up_and_the_table_stays_bounded()
    {
        await using var world = await MessagingWorld.Create();
        var node = await world.StartNode();
        await using var holder = await world.Database.Open();
        await using var snapshot = await holder.BeginTransactionAsync(IsolationLevel.RepeatableRead);
        (await Seen(holder, snapshot)).ShouldBe(0);
        var sizeBefore = await Size(world);

        var number = 0;
        var began = TimeProvider.System.GetTimestamp();
        using var beat = new PeriodicTimer(TimeSpan.FromMilliseconds(100));
        var sent = new List<Task>();
        for (var tenth = 0; tenth < Seconds * 10; tenth++)
        {
            await beat.WaitForNextTickAsync(TestContext.Current.CancellationToken);
            sent.AddRange(Enumerable.Range(0, PerSecond / 10).Select(_ => Send(node, Interlocked.Increment(ref number))));
        }

        await Task.WhenAll(sent);
        await node.Messages.WaitForIdle(MessagingWorld.Patience);
        var took = TimeProvider.System.GetElapsedTime(began);

        // Kept up: when the last one is sent, few wait. A queue that grows would take as long again.
        took.ShouldBeLessThan(TimeSpan.FromSeconds((Seconds * 1.25) + 10));
        world.Journal.Seen<Ping>().Select(ping => ping.Text).Order(StringComparer.Ordinal)
            .ShouldBe(Enumerable.Range(1, number).Select(it => $"{it}").Order(StringComparer.Ordinal));
        (await world.Stored()).ShouldBe(0);
        (await Seen(holder, snapshot)).ShouldBe(0, "the snapshot was held all the time");
        var sizeHeld = await Size(world);
        (sizeHeld - sizeBefore).ShouldBeLessThan((number * BytesPerMessage) + Slack);

        // Let go, the room is used again: as many once more, and the table grows no further.
        await snapshot.RollbackAsync();
        await world.Database.Execute("vacuum cavecomm_messages");
        await Task.WhenAll(Enumerable.Range(number + 1, PerSecond * 4).Select(it => Send(node, it)));
        await node.Messages.WaitForIdle(MessagingWorld.Patience);
        (await Size(world)).ShouldBeLessThan(sizeHeld + Slack);
    }

    // Half of them in groups.
    private static Task Send(TestNode node, int number) =>
        node.Publish(new Ping($"{number}"), number % 2 == 0 ? new DeliveryOptions { GroupId = $"group-{number % 50}" } : null);

    private static Task<long> Size(MessagingWorld world) => world.Database.Scalar<long>("select pg_total_relation_size('cavecomm_messages')");

    private static async Task<long> Seen(NpgsqlConnection connection, NpgsqlTransaction transaction)
    {
        await using var command = new NpgsqlCommand("select count(*) from cavecomm_messages", connection, transaction);
        return (long)(await command.ExecuteScalarAsync())!;
    }
}
