using CaveComm.EventStore;
using CaveComm.Tests.Support;
using Npgsql;
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

    [Fact]
    public async Task Who_fails_when_it_is_to_go_alone_fails_alone()
    {
        await it.Append("parcel/0", new Packed("anna", 0));

        var outcomes = await AtOnce(number => Save(number % 20 == 0 ? "parcel/0" : $"parcel/{number}", it =>
        {
            if (number % 20 == 10)
                ((ISessionTransaction)it).Enlist(new Once());
        }));

        for (var number = 0; number < Many; number++)
        {
            string[] allowed = (number % 20) switch
            {
                0 => [nameof(ExistingStreamIdCollisionException)],
                10 => ["saved", nameof(NotSupportedException)],
                _ => ["saved"],
            };
            allowed.ShouldContain(outcomes[number]);
        }

        outcomes.ShouldContain(nameof(NotSupportedException), "somebody was refused together with one of these");
        (await Events()).ShouldBe(1 + outcomes.Count(it => it == "saved"));
    }

    [Fact]
    public async Task Who_cannot_read_its_answers_has_nobodys_work_done_again()
    {
        var outcomes = await AtOnce(number => Append($"parcel/{number % 50}", it =>
        {
            if (number % 40 == 20)
                ((ISessionTransaction)it).Enlist(new Unreading());
        }));

        outcomes.ShouldContain("saved");
        (await Events()).ShouldBe(Many, "it was committed, and what is told of it does not change that");
    }

    [Fact]
    public async Task Who_writes_nothing_does_not_share_what_befalls_the_others()
    {
        var outcomes = await AtOnce(async number =>
        {
            if (number % 2 == 0)
                return await Save($"parcel/{number}", it => ((ISessionTransaction)it).Enlist(new Commands(number % 10 == 0 ? ["select pg_terminate_backend(pg_backend_pid())"] : [])));
            await using var session = it.Store.LightweightSession();
            ((ISessionTransaction)session).Enlist(new Commands());
            return await Outcome(session.SaveChangesAsync(Cancel));
        });

        outcomes.Where((_, number) => number % 2 == 1).ShouldAllBe(outcome => outcome == "saved");
        outcomes.Count(outcome => outcome == "saved").ShouldBeLessThan(Many);
    }

    [Fact]
    public async Task Who_waits_for_a_lock_can_give_up()
    {
        await it.Append("parcel/held", new Packed("anna", 1));
        await using var holder = await it.Database.Open();
        await using var transaction = await holder.BeginTransactionAsync(Cancel);
        await using (var hold = new NpgsqlCommand("select 1 from mt_streams where id = 'parcel/held' for update", holder, transaction))
            await hold.ExecuteNonQueryAsync(Cancel);
        using var giveUp = new CancellationTokenSource();

        var others = AtOnce(number => number % 20 == 0 ? Task.FromResult("saved") : Save($"parcel/{number}", _ => { }));
        var waiting = Task.WhenAll(Enumerable.Range(0, 10).Select(_ => Append("parcel/held", _ => { }, giveUp.Token)));
        (await others).ShouldAllBe(it => it == "saved");
        await giveUp.CancelAsync();

        (await waiting.WaitAsync(TimeSpan.FromSeconds(15), Cancel)).ShouldAllBe(it => it == nameof(OperationCanceledException));
        await transaction.RollbackAsync(Cancel);
        (await it.Database.Scalar<long>("select version::bigint from mt_streams where id = 'parcel/held'")).ShouldBe(1);
    }

    [Fact]
    public async Task Who_waits_when_the_store_ends_is_told()
    {
        var store = it.AnotherNode();
        var begun = 0;
        var saves = AtOnce(async number =>
        {
            Interlocked.Increment(ref begun);
            await using var session = store.LightweightSession();
            session.Events.Append($"parcel/{number % 50}", new Weighed(number));
            return await Outcome(session.SaveChangesAsync(Cancel));
        });
        await Eventually.Holds("many have begun", () => begun > Many / 2);

        await store.DisposeAsync();

        (await Events()).ShouldBeLessThanOrEqualTo(Many);
        var outcomes = await saves.WaitAsync(StoreUnderTest.Patience, Cancel);
        (await Events()).ShouldBeGreaterThanOrEqualTo(outcomes.Count(outcome => outcome == "saved"));
    }

    [Fact]
    public async Task Of_many_that_insert_the_same_document_one_does()
    {
        var outcomes = await AtOnce(async number =>
        {
            await using var session = it.Store.LightweightSession();
            session.Insert(new Note($"note/{number % 10}", number.ToString(), number));
            session.Events.Append($"parcel/{number}", new Weighed(number));
            return await Outcome(session.SaveChangesAsync(Cancel));
        });

        outcomes.Where(outcome => outcome != "saved").ShouldAllBe(outcome => outcome == nameof(DocumentAlreadyExistsException));
        outcomes.Count(outcome => outcome == "saved").ShouldBe(10);
        (await Events()).ShouldBe(10);
    }

    private Task<long> Events() => it.Database.Scalar<long>("select count(*) from mt_events");

    private async Task<string> Save(string key, Action<IDocumentSession> with)
    {
        await using var session = it.Store.LightweightSession();
        session.Events.StartStream<Parcel>(key, new Packed("anna", 1));
        with(session);
        return await Outcome(session.SaveChangesAsync(Cancel));
    }

    private async Task<string> Append(string key, Action<IDocumentSession> with, CancellationToken cancel = default)
    {
        await using var session = it.Store.LightweightSession();
        session.Events.Append(key, new Weighed(1));
        with(session);
        return await Outcome(session.SaveChangesAsync(cancel));
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

    private class Commands(params string[] commands) : ITransactionParticipant
    {
        public virtual void AddTo(NpgsqlBatch batch)
        {
            foreach (var command in commands)
                batch.BatchCommands.Add(new(command));
        }

        public virtual ValueTask ReadRows(NpgsqlDataReader rows, CancellationToken cancel) => ValueTask.CompletedTask;

        public Exception? Translate(PostgresException error) => null;

        public void Committed()
        {
        }
    }

    private sealed class Once : Commands
    {
        private bool isAsked;

        public override void AddTo(NpgsqlBatch batch)
        {
            if (isAsked)
                throw new NotSupportedException();
            isAsked = true;
        }
    }

    private sealed class Unreading() : Commands("select 1")
    {
        public override ValueTask ReadRows(NpgsqlDataReader rows, CancellationToken cancel) => throw new NotSupportedException();
    }
}
