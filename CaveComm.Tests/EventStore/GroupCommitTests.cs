using CaveComm.EventStore;
using Npgsql;
using Shouldly;
using static CaveComm.Tests.EventStore.ParcelEvent;

namespace CaveComm.Tests.EventStore;

/// <summary>Saves that come while a commit is under way are committed together, and nobody can tell by what becomes of them.</summary>
public sealed class GroupCommitTests : IAsyncLifetime
{
    private const int Many = 200;

    private static readonly CancellationToken Cancel = TestContext.Current.CancellationToken;

    private StoreUnderTest it = null!;

    public async ValueTask InitializeAsync()
    {
        it = await StoreUnderTest.Create();
        await it.Database.Execute("create table answers (number int)");
    }

    public ValueTask DisposeAsync() => it.DisposeAsync();

    [Fact]
    public async Task Saves_at_once_share_their_commits()
    {
        await AtOnce(Many, async number =>
        {
            await Save($"parcel/{number}", new Packed("anna", number));
            return true;
        });

        (await it.Database.Scalar<long>("select count(*) from mt_events")).ShouldBe(Many);
        (await it.Database.Scalar<long>("select count(distinct xmin::text) from mt_streams")).ShouldBeLessThan(Many); // How many fewer hangs on who else works on this machine.
    }

    [Fact]
    public async Task Each_finds_the_answers_to_its_own_commands()
    {
        var before = (await it.Append("parcel/old", new Packed("anna", 1))).Single();

        var answers = await AtOnce(Many, async number =>
        {
            var asked = new Asked(number, rows: number % 3);
            await using var session = it.Store.LightweightSession();
            var appended = (number % 5) switch
            {
                0 => session.Events.StartStream<Parcel>($"parcel/{number}", new Packed("anna", number)),
                1 => session.Events.StartStream<Parcel>($"parcel/{number}", new Packed("anna", number), new Weighed(number)),
                2 => session.Events.Append("parcel/old", new Weighed(number)),
                3 => session.Events.Append($"parcel/{number}", new Packed("anna", number), new Weighed(number)),
                _ => null,
            };
            if (number % 7 == 0 || appended is null)
                session.Store(new Note($"note/{number}", number.ToString(), number));
            ((ISessionTransaction)session).Enlist(asked);
            await session.SaveChangesAsync(Cancel);
            return (Number: number, Events: appended?.Events ?? [], asked.Answers);
        });

        answers.ShouldAllBe(it => it.Answers.SequenceEqual(Enumerable.Repeat(it.Number, it.Number % 3)));
        answers.SelectMany(it => it.Events).Append(before).Select(it => $"{it.Sequence} {it.StreamKey} {it.Version}").ShouldBe(
            await it.Database.Scalar<string[]>("select array_agg(seq_id || ' ' || stream_id || ' ' || version) from mt_events"), ignoreOrder: true);
        (await it.Database.Scalar<long>("select count(*) from answers")).ShouldBe(Many);
        (await it.Database.Scalar<long>("select count(*) from mt_doc_note")).ShouldBe(answers.Count(answer => answer.Number % 7 == 0 || answer.Number % 5 == 4));
        (await it.Store.History.Verify(null, Cancel)).Broken.ShouldBeNull();
    }

    [Fact]
    public async Task Who_is_refused_is_told_so_and_takes_nobody_along()
    {
        await it.Append("parcel/0", new Packed("anna", 0));

        var outcomes = await AtOnce(Many, async number =>
        {
            try
            {
                await Save(number % 5 == 0 ? "parcel/0" : $"parcel/{number}", new Packed("anna", number));
                return "saved";
            }
            catch (ExistingStreamIdCollisionException)
            {
                return "refused";
            }
        });

        outcomes.ShouldBe(Enumerable.Range(0, Many).Select(number => number % 5 == 0 ? "refused" : "saved"));
        (await it.Database.Scalar<long>("select count(*) from mt_events")).ShouldBe(1 + outcomes.Count(outcome => outcome == "saved"));
    }

    [Fact]
    public async Task Who_must_wait_for_a_lock_waits_alone()
    {
        await it.Append("parcel/held", new Packed("anna", 1));
        await using var holder = await it.Database.Open();
        await using var transaction = await holder.BeginTransactionAsync(Cancel);
        await using (var hold = new NpgsqlCommand("select 1 from mt_streams where id = 'parcel/held' for update", holder, transaction))
            await hold.ExecuteNonQueryAsync(Cancel);

        var waiting = Task.WhenAll(Enumerable.Range(0, 3).Select(grams => it.Append("parcel/held", new Weighed(grams))));
        await AtOnce(Many, async number =>
        {
            await Save($"parcel/{number}", new Packed("anna", number));
            return true;
        }).WaitAsync(StoreUnderTest.Patience, Cancel);

        waiting.IsCompleted.ShouldBeFalse();
        await transaction.RollbackAsync(Cancel);
        (await waiting).SelectMany(events => events).Select(happened => happened.Version).Order().ShouldBe([2, 3, 4]);
    }

    [Fact]
    public async Task Nodes_that_lock_in_any_order_do_not_stand_in_each_others_way()
    {
        await using var other = it.AnotherNode();
        DocumentStore[] nodes = [it.Store, other];

        var saved = await AtOnce(Many, async number =>
        {
            await using var session = nodes[number % 2].LightweightSession();
            session.Events.StartStream<Parcel>($"parcel/{number}", new Packed("anna", number));
            ((ISessionTransaction)session).Enlist(new Locks(Random.Shared.Next(4)));
            await session.SaveChangesAsync(Cancel);
            return true;
        }).WaitAsync(StoreUnderTest.Patience, Cancel);

        saved.ShouldAllBe(it => it);
        (await it.Database.Scalar<long>("select count(*) from mt_events")).ShouldBe(Many);
    }

    [Fact]
    public async Task What_dies_with_its_connection_is_not_told_as_saved_and_not_done_again()
    {
        var outcomes = await AtOnce(Many, async number =>
        {
            await using var session = it.Store.LightweightSession();
            session.Events.StartStream<Parcel>($"parcel/{number}", new Packed("anna", number));
            if (number % 40 == 20)
                ((ISessionTransaction)session).Enlist(new Dies());
            try
            {
                await session.SaveChangesAsync(Cancel);
                return true;
            }
            catch (NpgsqlException)
            {
                return false;
            }
        });

        outcomes.ShouldContain(false);
        outcomes.ShouldContain(true);
        (await it.Database.Scalar<string[]>("select array_agg(stream_id) from mt_events")).ShouldBe(
            Enumerable.Range(0, Many).Where(number => outcomes[number]).Select(number => $"parcel/{number}"), ignoreOrder: true);
    }

    private async Task Save(string key, params object[] events)
    {
        await using var session = it.Store.LightweightSession();
        session.Events.StartStream<Parcel>(key, events);
        await session.SaveChangesAsync(Cancel);
    }

    private static Task<T[]> AtOnce<T>(int many, Func<int, Task<T>> save) => Task.WhenAll(Enumerable.Range(0, many).Select(number => Task.Run(() => save(number), Cancel)));

    /// <summary>A command that answers with rows, or with none.</summary>
    private sealed class Asked(int number, int rows) : Quiet
    {
        public List<int> Answers { get; } = [];

        public override void AddTo(NpgsqlBatch batch)
        {
            batch.BatchCommands.Add(new("insert into answers values ($1)") { Parameters = { new NpgsqlParameter<int> { TypedValue = number } } });
            for (var row = 0; row < rows; row++)
                batch.BatchCommands.Add(new("select $1 as number_asked") { Parameters = { new NpgsqlParameter<int> { TypedValue = number } } });
        }

        public override async ValueTask ReadRows(NpgsqlDataReader reader, CancellationToken cancel)
        {
            Answers.Clear();
            for (var row = 0; row < rows; row++)
            {
                while (reader.FieldCount == 0 || reader.GetName(0) != "number_asked")
                    await reader.NextResultAsync(cancel);
                await reader.ReadAsync(cancel);
                Answers.Add(reader.GetInt32(0));
                await reader.NextResultAsync(cancel);
            }
        }
    }

    private sealed class Locks(int what) : Quiet
    {
        public override void AddTo(NpgsqlBatch batch) =>
            batch.BatchCommands.Add(new("select pg_advisory_xact_lock($1)") { Parameters = { new NpgsqlParameter<long> { TypedValue = what } } });
    }

    private sealed class Dies : Quiet
    {
        public override void AddTo(NpgsqlBatch batch) => batch.BatchCommands.Add(new("select pg_terminate_backend(pg_backend_pid())"));
    }

    private abstract class Quiet : ITransactionParticipant
    {
        public abstract void AddTo(NpgsqlBatch batch);

        public virtual ValueTask ReadRows(NpgsqlDataReader reader, CancellationToken cancel) => ValueTask.CompletedTask;

        public Exception? Translate(PostgresException error) => null;

        public void Committed()
        {
        }
    }
}
