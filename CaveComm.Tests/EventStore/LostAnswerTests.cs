using System.Buffers.Binary;
using CaveComm.EventStore;
using Npgsql;
using Shouldly;
using static CaveComm.Tests.EventStore.ParcelEvent;

namespace CaveComm.Tests.EventStore;

/// <summary>Saves whose commit was done and whose answer never came: they may stand or not, and are not done again.</summary>
public sealed class LostAnswerTests : IAsyncLifetime
{
    private const int Many = 400;
    private const int Losses = 3;

    // Only those of several saves together are as long.
    private const int LongAnswer = 600;

    private static readonly CancellationToken Cancel = TestContext.Current.CancellationToken;

    private StoreUnderTest it = null!;
    private Wire wire = null!;
    private DocumentStore store = null!;
    private int lost;

    public async ValueTask InitializeAsync()
    {
        it = await StoreUnderTest.Create();
        wire = new(it.Database.ConnectionString);
        store = StoreUnderTest.Over(wire.ConnectionString, StoreUnderTest.Async);
        await using var first = await store.DataSource.OpenConnectionAsync(Cancel); // Asks for the server's types, whose answer is longer.
    }

    public async ValueTask DisposeAsync()
    {
        await store.DisposeAsync();
        await wire.DisposeAsync();
        await it.DisposeAsync();
    }

    [Fact]
    public async Task What_was_stored_before_the_connection_broke_is_not_stored_twice()
    {
        wire.Instead = answer => IsLost(answer) ? [] : null;

        await NothingIsTwiceAndWhatIsToldStands();
    }

    /// <summary>Poolers tell so of a server's connection that they lost in the middle of a commit.</summary>
    [Fact]
    public async Task An_error_that_comes_with_the_end_of_the_connection_is_no_refusal()
    {
        wire.Instead = answer => IsLost(answer) ? Error("SERROR\0VERROR\0C08P01\0Mserver conn crashed?\0\0"u8) : null;

        await NothingIsTwiceAndWhatIsToldStands();
    }

    private async Task NothingIsTwiceAndWhatIsToldStands()
    {
        var isTold = await Task.WhenAll(Enumerable.Range(0, Many).Select(number => Task.Run(() => IsSaved(number), Cancel)));

        lost.ShouldBePositive();
        var stored = await it.Database.Scalar<long[]>("select array_agg((data ->> 'grams')::bigint) from mt_events");
        stored.ShouldBeUnique();
        Enumerable.Range(0, Many).Where(number => isTold[number] && !stored.Contains(number)).ShouldBeEmpty("each is told the truth");
        stored.Count(number => !isTold[number]).ShouldBeGreaterThan(1, "the answers of several at once were lost after they were stored");
        (await it.Store.History.Verify(null, Cancel)).Broken.ShouldBeNull();
    }

    private async Task<bool> IsSaved(int number)
    {
        await using var session = store.LightweightSession();
        session.Events.Append($"parcel/{number % 200}", new Weighed(number)); // To whatever version: no lost race would save us from a second one.
        try
        {
            await session.SaveChangesAsync(Cancel);
            return true;
        }
        catch (NpgsqlException)
        {
            return false;
        }
    }

    private bool IsLost(byte[] answer) =>
        answer.Length > LongAnswer && answer.AsSpan().IndexOf("SERROR"u8) < 0 && Interlocked.Increment(ref lost) <= Losses;

    private static byte[] Error(ReadOnlySpan<byte> fields)
    {
        byte[] message = [(byte)'E', 0, 0, 0, 0, .. fields];
        BinaryPrimitives.WriteInt32BigEndian(message.AsSpan(1), message.Length - 1);
        return message;
    }
}
