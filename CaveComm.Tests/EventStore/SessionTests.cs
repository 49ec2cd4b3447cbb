using CaveComm.EventStore;
using Npgsql;
using Shouldly;
using static CaveComm.Tests.EventStore.ParcelEvent;

namespace CaveComm.Tests.EventStore;

/// <summary>Everything of a session commits together, views in the writer's transaction too.</summary>
public sealed class SessionTests : IAsyncLifetime
{
    private StoreUnderTest it = null!;

    public async ValueTask InitializeAsync() => it = await StoreUnderTest.Create(StoreUnderTest.Inline);

    public ValueTask DisposeAsync() => it.DisposeAsync();

    [Fact]
    public async Task Inline_views_are_there_with_the_commit()
    {
        await it.Append("parcel/1", new Packed("anna", 2), new Weighed(700));
        await it.Append("parcel/1", new Sent(DateTimeOffset.UnixEpoch));
        await it.Append("parcel/2", new Packed("anna", 3));
        await using var session = it.Store.QuerySession();

        var parcel = await session.LoadAsync<Parcel>("parcel/1");
        parcel.ShouldNotBeNull().Versions.ShouldBe([1, 2, 3]);
        parcel.Stage.ShouldBe(ParcelStage.OnItsWay);
        (await session.LoadAsync<Shelf>("anna")).ShouldNotBeNull().Items.ShouldBe(5);
        (await it.Database.Scalar<long>("select mt_version from mt_doc_parcel where id = 'parcel/1'")).ShouldBe(3);
    }

    /// <summary>Marten numbers all that a projection writes, and could not write a column of another type.</summary>
    [Theory]
    [InlineData("mt_doc_parcel", "bigint")]
    [InlineData("mt_doc_shelf", "bigint")]
    [InlineData("mt_doc_note", "uuid")]
    public async Task Versions_have_the_type_that_Marten_gives_them(string table, string type) => (await it.Database.Scalar<string>(
        $"select data_type::text from information_schema.columns where table_schema = 'public' and table_name = '{table}' and column_name = 'mt_version'")).ShouldBe(type);

    [Fact]
    public async Task A_view_that_ends_is_deleted()
    {
        await it.Append("parcel/1", new Packed("anna", 2));
        await it.Append("parcel/1", new Withdrawn());
        await using var session = it.Store.QuerySession();

        (await session.LoadAsync<Parcel>("parcel/1")).ShouldBeNull();
    }

    [Fact]
    public async Task Writers_of_different_streams_do_not_lose_each_others_part_of_a_shared_view()
    {
        await Task.WhenAll(Enumerable.Range(0, 40).Select(number => it.Append($"parcel/{number}", new Packed("anna", 1))));
        await using var session = it.Store.QuerySession();

        (await session.LoadAsync<Shelf>("anna"))!.Parcels.ShouldBe(40);
    }

    [Fact]
    public async Task Of_two_who_insert_a_document_one_does_and_the_other_is_undone()
    {
        await using var first = it.Store.LightweightSession();
        await using var second = it.Store.LightweightSession();
        first.Insert(new Note("1", "first"), new Note("2", "first too"));
        second.Insert(new Note("1", "second"));
        second.Events.Append("parcel/1", new Packed("anna", 2));

        await first.SaveChangesAsync();
        (await Should.ThrowAsync<DocumentAlreadyExistsException>(() => second.SaveChangesAsync())).DocType.ShouldBe(typeof(Note));

        (await first.LoadAsync<Note>("1"))!.Text.ShouldBe("first");
        (await first.LoadAsync<Note>("2"))!.Text.ShouldBe("first too");
        (await first.Events.FetchStreamAsync("parcel/1")).ShouldBeEmpty();
        first.Store(new Note("1", "changed"));
        await first.SaveChangesAsync();
        (await first.LoadAsync<Note>("1"))!.Text.ShouldBe("changed", "A session that inserted may store later.");
    }

    [Fact]
    public async Task A_participant_that_raises_an_error_undoes_everything_and_may_name_it()
    {
        await using var session = it.Store.LightweightSession();
        session.Events.Append("parcel/1", new Packed("anna", 2));
        session.Store(new Note("1", "undone"));
        var participant = new Participant("select 1 / 0");
        ((ISessionTransaction)session).Enlist(participant);

        (await Should.ThrowAsync<TimeoutException>(() => session.SaveChangesAsync())).Message.ShouldBe("translated");

        participant.WasCommitted.ShouldBeFalse();
        (await it.Database.Scalar<long>("select count(*) from mt_events")).ShouldBe(0);
        (await it.Database.Scalar<long>("select count(*) from mt_streams")).ShouldBe(0);
        (await it.Database.Scalar<long>("select count(*) from mt_doc_parcel")).ShouldBe(0);
        (await session.LoadAsync<Note>("1")).ShouldBeNull();
    }

    [Fact]
    public async Task Without_inline_views_a_participants_error_undoes_everything_too()
    {
        var store = it.AnotherNode(StoreUnderTest.Async);
        await using var session = store.LightweightSession();
        session.Events.Append("parcel/1", new Packed("anna", 2));
        ((ISessionTransaction)session).Enlist(new Participant("select 1"));
        ((ISessionTransaction)session).Enlist(new Participant("select 1 / 0"));

        await Should.ThrowAsync<TimeoutException>(() => session.SaveChangesAsync());

        (await it.Database.Scalar<long>("select count(*) from mt_events")).ShouldBe(0);
    }

    [Fact]
    public async Task Participants_commit_with_the_session_and_are_told_once()
    {
        await it.Database.Execute("create table joined (id int)");
        await using var session = it.Store.LightweightSession();
        session.Events.Append("parcel/1", new Packed("anna", 2));
        var participant = new Participant("insert into joined values (1)");
        ((ISessionTransaction)session).Enlist(participant);
        await session.SaveChangesAsync();
        session.Events.Append("parcel/1", new Weighed(2));
        await session.SaveChangesAsync();

        participant.WasCommitted.ShouldBeTrue();
        (await it.Database.Scalar<long>("select count(*) from joined")).ShouldBe(1);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_save_whose_commit_is_somebody_elses_is_there_with_that_commit_or_never(bool commits)
    {
        await using var session = it.Store.LightweightSession();
        await using var owner = new Owner(it.Store.DataSource);
        var participant = new Participant("select 1");
        ((ISessionTransaction)session).CommitBy(owner);
        ((ISessionTransaction)session).Enlist(participant);
        var parcel = session.Events.Append("parcel/1", new Packed("anna", 2));
        session.Store(new Note("1", "held"));
        await session.SaveChangesAsync();

        parcel.Events[0].Sequence.ShouldBePositive("its place is known before the commit");
        participant.WasCommitted.ShouldBeFalse();
        (await session.Events.FetchStreamAsync("parcel/1")).ShouldBeEmpty();
        await owner.End(commits);

        participant.WasCommitted.ShouldBe(commits);
        (await session.Events.FetchStreamAsync("parcel/1")).Count.ShouldBe(commits ? 1 : 0);
        ((await session.LoadAsync<Note>("1")) is not null).ShouldBe(commits);
        (await it.Database.Scalar<long>("select count(*) from mt_doc_parcel")).ShouldBe(commits ? 1 : 0);
    }

    [Fact]
    public async Task A_held_save_that_loses_a_race_is_told_so_and_rolled_back()
    {
        await using var owner = new Owner(it.Store.DataSource);
        await using var session = it.Store.LightweightSession();
        ((ISessionTransaction)session).CommitBy(owner);
        session.Events.StartStream<Parcel>("parcel/1", new Packed("anna", 2));
        await using (var other = it.Store.LightweightSession())
        {
            other.Events.StartStream<Parcel>("parcel/1", new Packed("ben", 3));
            await other.SaveChangesAsync();
        }

        await Should.ThrowAsync<ExistingStreamIdCollisionException>(() => session.SaveChangesAsync());
        await owner.End(commits: false);

        (await session.Events.FetchStreamAsync("parcel/1")).Count.ShouldBe(1);
    }

    [Fact]
    public async Task Documents_are_stored_replaced_found_and_deleted()
    {
        await using var session = it.Store.LightweightSession();
        session.Store(new Note("1", "one", 3), new Note("2", "two", 5), new Note("3", "really?", 5));
        session.Store(new Note("1", "one again", 4));
        await session.SaveChangesAsync();

        (await session.LoadAsync<Note>("1"))!.Text.ShouldBe("one again");
        (await session.QueryAsync<Note>("where stars = ? and d.data ->> 'text' <> 'why?' order by id desc limit ?", CancellationToken.None, 5, 1))
            .Select(note => note.Id).ShouldBe(["3"]);
        session.Delete<Note>("2");
        await session.SaveChangesAsync();
        (await session.QueryAsync<Note>("order by id", CancellationToken.None)).Select(note => note.Id).ShouldBe(["1", "3"]);
        (await it.Database.Scalar<long>("select count(*) from pg_indexes where indexname = 'mt_doc_note_idx_stars'")).ShouldBe(1);
    }

    [Fact]
    public async Task Saves_that_touch_the_same_streams_in_another_order_do_not_deadlock()
    {
        async Task Save(params string[] keys)
        {
            for (var round = 0; round < 20; round++)
            {
                await using var session = it.Store.LightweightSession();
                foreach (var key in keys)
                    session.Events.Append(key, new Weighed(round));
                await session.SaveChangesAsync();
            }
        }

        await Task.WhenAll(Save("a", "b", "c"), Save("c", "b", "a"), Save("b", "c", "a"));

        (await it.Database.Scalar<decimal>("select sum(version) from mt_streams")).ShouldBe(180);
    }

    private sealed class Owner(NpgsqlDataSource database) : ITransactionOwner, IAsyncDisposable
    {
        private NpgsqlTransaction? transaction;
        private Action? committed;

        public async Task<NpgsqlTransaction> Begin(CancellationToken cancel) => transaction = await (await database.OpenConnectionAsync(cancel)).BeginTransactionAsync(cancel);

        public void Written(Action committed) => this.committed = committed;

        public async Task End(bool commits)
        {
            await (commits ? transaction!.CommitAsync() : transaction!.RollbackAsync());
            if (commits)
                committed!();
        }

        public async ValueTask DisposeAsync()
        {
            if (transaction?.Connection is { } open)
                await open.DisposeAsync();
        }
    }

    private sealed class Participant(string sql) : ITransactionParticipant
    {
        public bool WasCommitted { get; private set; }

        public void AddTo(NpgsqlBatch batch) => batch.BatchCommands.Add(new(sql));

        public Exception? Translate(PostgresException error) =>
            error.SqlState == PostgresErrorCodes.DivisionByZero ? new TimeoutException("translated") : null;

        public void Committed() => WasCommitted = true;
    }
}
