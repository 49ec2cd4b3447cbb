using CaveComm.Messaging;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;
using Shouldly;

namespace CaveComm.Tests.Messaging;

public class CoalescerTests
{
    // A batch that was dropped would leave its messages in this node's hands for ever, since their leases are renewed while they are held.
    [Fact]
    public async Task Work_is_not_given_up_however_long_the_database_is_away()
    {
        var (attempts, done) = (0, new List<int>());
        var coalescer = new Coalescer<int>(
            "Ending",
            100,
            (batch, _) =>
            {
                if (++attempts < 40)
                {
                    throw new NpgsqlException("The database is away.");
                }

                done.AddRange(batch);
                return Task.CompletedTask;
            },
            NullLogger.Instance,
            longestPauseMilliseconds: 1);
        coalescer.Add(1);
        coalescer.Add(2);
        coalescer.Complete();

        await coalescer.Run(TestContext.Current.CancellationToken);

        done.ShouldBe([1, 2]);
    }
}
