using CaveComm.Tests.Support;
using Shouldly;

namespace CaveComm.Tests.Messaging.Conformance;

/// <summary>W1: SIGKILL to a real process between every two steps. The database has each effect once, the outside world at least once, with the same key.</summary>
public class KillTests
{
    [Theory]
    [InlineData(KillPoint.Published)]
    [InlineData(KillPoint.Stored)]
    [InlineData(KillPoint.Taken)]
    [InlineData(KillPoint.Handled)]
    [InlineData(KillPoint.Committed)]
    public async Task Whatever_step_a_process_dies_at_its_work_is_in_the_database_once_and_outside_at_least_once(KillPoint point)
    {
        const int Numbers = 12;
        await using var world = await MessagingWorld.Create();
        await using var outside = await OutsideWorld.Start();
        for (var kill = 0; kill < Soak.Size(1, 20); kill++)
        {
            await using var node = NodeProcess.Launch(world, outside, settings => settings with
            {
                KillAt = point,
                KillCount = 1 + (((kill * 7) + 4) % Numbers),
                FirstNumber = kill * Numbers,
                Numbers = Numbers,
            });
            (await node.Ended()).ShouldBe(NodeProcess.Killed, node.Said);
        }

        using var effects = new OutsideEffects(outside.Address, TimeSpan.Zero);
        await world.StartNode(options => options.Timings = MessagingWorld.Watchful, journal: effects.Journal());
        await Eventually.Holds("all is done", async () => await world.Stored() == 0);

        await Asked.ShouldBeDone(world, outside, pings: true);
        if (point == KillPoint.Handled)
        {
            outside.Done.GroupBy(effect => effect.Key).ShouldContain(again => again.Count() > 1, "It died with its effect done, so it was done once more.");
        }
    }
}
