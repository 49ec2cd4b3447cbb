using Shouldly;
using static CaveComm.Tests.EventStore.ParcelEvent;

namespace CaveComm.Tests.EventStore;

/// <summary>Nobody who changes the log's sequence gets events skipped.</summary>
public sealed class LogSequenceTests : IAsyncLifetime
{
    private StoreUnderTest it = null!;

    public async ValueTask InitializeAsync() => it = await StoreUnderTest.Create();

    public ValueTask DisposeAsync() => it.DisposeAsync();

    [Theory]
    [InlineData("cache 32")]
    [InlineData("increment 10")]
    [InlineData("cycle")]
    public async Task One_that_was_altered_is_put_right_at_the_next_start(string altered)
    {
        await it.Database.Execute($"alter sequence mt_events_sequence {altered}");

        await it.AnotherNode().ApplyAllConfiguredChangesToDatabaseAsync();

        (await it.Database.Scalar<string>(
            "select concat_ws(' ', cache_size, increment_by, cycle) from pg_sequences where sequencename = 'mt_events_sequence'")).ShouldBe("1 1 f");
    }

    [Theory]
    [InlineData(1, "true")]
    [InlineData(1, "false")]
    [InlineData(3, "true")]
    public async Task One_that_was_left_behind_the_log_is_brought_to_its_end(int value, string isCalled)
    {
        await it.Append("parcel/1", new Packed("anna", 1), new Weighed(1), new Weighed(2), new Weighed(3));
        await it.Database.Execute($"select setval('mt_events_sequence', {value}, {isCalled})");

        await it.AnotherNode().ApplyAllConfiguredChangesToDatabaseAsync();

        (await it.Append("parcel/1", new Weighed(4)))[0].Sequence.ShouldBe(5);
    }

    [Fact]
    public async Task One_that_is_ahead_stays_as_it_is()
    {
        await it.Append("parcel/1", new Packed("anna", 1));
        await it.Database.Execute("select setval('mt_events_sequence', 40)");

        await it.AnotherNode().ApplyAllConfiguredChangesToDatabaseAsync();

        (await it.Append("parcel/1", new Weighed(4)))[0].Sequence.ShouldBe(41);
    }
}
