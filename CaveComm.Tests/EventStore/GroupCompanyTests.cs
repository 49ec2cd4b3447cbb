using CaveComm.EventStore;
using Shouldly;
using static CaveComm.Tests.EventStore.ParcelEvent;

namespace CaveComm.Tests.EventStore;

/// <summary>Saves that go together with one that misbehaves fare as if they had gone alone.</summary>
public sealed class GroupCompanyTests : IAsyncLifetime
{
    private const int Many = 200;

    private static readonly CancellationToken Cancel = TestContext.Current.CancellationToken;

    private StoreUnderTest it = null!;

    public async ValueTask InitializeAsync() => it = await StoreUnderTest.Create();

    public ValueTask DisposeAsync() => it.DisposeAsync();

    [Fact]
    public async Task A_text_that_cannot_be_sent_is_its_own_savers_matter()
    {
        var outcomes = await AtOnce(number => Save($"parcel/{number}", it => it.LastModifiedBy = number % 20 == 7 ? "anna\ud83d" : "anna"));

        outcomes.ShouldBe(Enumerable.Range(0, Many).Select(number => number % 20 == 7 ? nameof(InvalidOperationException) : "saved"));
        (await Events()).ShouldBe(Many - (Many / 20));
    }

    [Fact]
    public async Task The_stream_whose_name_cannot_be_sent_is_told()
    {
        foreach (var key in new[] { "parcel/\ude00", "parcel/\ud83d" })
            (await Should.ThrowAsync<InvalidOperationException>(() => it.Append(key, new Weighed(1)))).Message.ShouldContain("'parcel/\ufffd'");

        (await it.Append("parcel/\ud83d\ude00", new Weighed(1))).Single().Version.ShouldBe(1);
    }

    [Fact]
    public async Task A_document_whose_name_cannot_be_sent_is_refused()
    {
        await using var session = it.Store.LightweightSession();
        session.Store(new Note("note/\ud83d", "", 1));

        await Should.ThrowAsync<InvalidOperationException>(() => session.SaveChangesAsync(Cancel));
    }

    private Task<long> Events() => it.Database.Scalar<long>("select count(*) from mt_events");

    private async Task<string> Save(string key, Action<IDocumentSession> with)
    {
        await using var session = it.Store.LightweightSession();
        session.Events.StartStream<Parcel>(key, new Packed("anna", 1));
        with(session);
        return await Outcome(session.SaveChangesAsync(Cancel));
    }

    private static async Task<string> Outcome(Task save)
    {
        try
        {
            await save;
            return "saved";
        }
        catch (OperationCanceledException)
        {
            return nameof(OperationCanceledException);
        }
        catch (Exception error)
        {
            return error.GetType().Name;
        }
    }

    private static Task<string[]> AtOnce(Func<int, Task<string>> save) => Task.WhenAll(Enumerable.Range(0, Many).Select(number => Task.Run(() => save(number), Cancel)));
}
