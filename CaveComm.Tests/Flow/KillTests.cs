using System.Diagnostics;
using System.Globalization;
using CaveComm.Tests.Support;
using Shouldly;

namespace CaveComm.Tests.Flow;

/// <summary>The running product is killed (SIGKILL) at random moments and started again, while people go on with their work.</summary>
public sealed class KillTests(ITestOutputHelper output)
{
    private static bool IsSoak => Soak.IsOn;

    [Fact]
    public async Task Every_story_ends_right_and_once_however_often_the_product_is_killed()
    {
        var random = Seeded();
        await using var office = await KillableOffice.Start(inOne: false);
        await new ProviderBooks(office).Weather(errorEvery: 9);
        using var mira = new PatientClient(office, "freelancer");
        using var jonas = new PatientClient(office, "second");
        using var customer = new PatientClient(office, null);
        using var enough = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        Task<List<Tale>>[] lanes =
        [
            Tell(() => new LongStory(office, mira, customer).UpFrontByStripe(), enough.Token),
            Tell(() => new LongStory(office, mira, customer).OnDeliveryByBtcPay(), enough.Token),
            Tell(() => new LongStory(office, jonas, customer).OnDeliveryByBtcPay(), enough.Token),
            Tell(() => new LongStory(office, jonas, customer).AgreedElsewhere(), enough.Token),
            Tell(() => new LongStory(office, mira, customer).Declined(), enough.Token),
            Tell(() => new LongStory(office, jonas, customer).LastSlot(), enough.Token),
        ];

        var watch = Stopwatch.StartNew();
        var kills = IsSoak ? 100 : 10;
        for (var kill = 1; kill <= kills && !lanes.Any(lane => lane.IsCompleted); kill++)
        {
            // One in four dies while it is starting, when it takes over what the last one left.
            var isEarly = kill > 1 && random.Next(4) == 0;
            var acts = random.Next(0, 6);
            var then = TimeSpan.FromMilliseconds(random.Next(0, isEarly ? 2_500 : 400));
            if (!isEarly)
            {
                await office.Ready();
                var before = mira.Acts + jonas.Acts + customer.Acts;
                await Until(() => mira.Acts + jonas.Acts + customer.Acts >= before + acts, TimeSpan.FromSeconds(3));
            }

            await Until(() => false, then); // The random moment itself.
            await office.Kill();
            output.WriteLine(string.Create(
                CultureInfo.InvariantCulture, $"{watch.Elapsed.TotalSeconds,6:0.0} s: kill {kill}, {(isEarly ? "while starting" : $"after {acts} acts")} and {then.TotalMilliseconds:0} ms"));
            office.Restart();
        }

        await enough.CancelAsync();
        var tales = (await Task.WhenAll(lanes)).SelectMany(told => told).ToList();
        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{watch.Elapsed.TotalSeconds,6:0.0} s: {tales.Count} commissions have ended"));
        await office.Ready();
        await new ProviderBooks(office).Weather(errorEvery: 0);
        await new Reckoning(office, tales).Make(mira, jonas);
        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{watch.Elapsed.TotalSeconds,6:0.0} s: all is right"));
    }

    [Fact]
    public async Task Killed_with_its_sandbox_in_the_middle_of_stories_the_next_up_goes_on_with_both_and_the_same_PostgreSQL()
    {
        var random = Seeded();
        await using var office = await KillableOffice.Start(inOne: true);
        var server = await office.Scalar<DateTime>("select pg_postmaster_start_time()");
        using var mira = new PatientClient(office, "freelancer");
        using var jonas = new PatientClient(office, "second");
        using var customer = new PatientClient(office, null);
        Task<IReadOnlyList<Tale>>[] stories =
        [
            new LongStory(office, mira, customer).UpFrontByStripe(),
            new LongStory(office, jonas, customer).OnDeliveryByBtcPay(),
            new LongStory(office, jonas, customer).LastSlot(),
        ];

        for (var kill = 0; kill < (IsSoak ? 10 : 1); kill++)
        {
            await office.Ready();
            var acts = mira.Acts + jonas.Acts + customer.Acts + random.Next(2, 6);
            await Until(() => mira.Acts + jonas.Acts + customer.Acts >= acts, TimeSpan.FromSeconds(5));
            await office.Kill();
            office.Restart();
        }

        var tales = (await Task.WhenAll(stories)).SelectMany(told => told).ToList();
        await office.Ready();
        await new Reckoning(office, tales).Make(mira, jonas);
        (await office.Scalar<DateTime>("select pg_postmaster_start_time()")).ShouldBe(server, "PostgreSQL was left running and should have been adopted");
    }

    private static async Task<List<Tale>> Tell(Func<Task<IReadOnlyList<Tale>>> story, CancellationToken enough)
    {
        var told = new List<Tale>();
        do
        {
            told.AddRange(await story());
        }
        while (!enough.IsCancellationRequested);
        return told;
    }

    // What the killer waits for, and at most how long: a kill comes in any case.
    private static async Task Until(Func<bool> condition, TimeSpan atMost)
    {
        var watch = Stopwatch.StartNew();
        using var every = new PeriodicTimer(TimeSpan.FromMilliseconds(1));
        while (watch.Elapsed < atMost && !condition())
        {
            await every.WaitForNextTickAsync(TestContext.Current.CancellationToken);
        }
    }

    private Random Seeded()
    {
        var seed = Environment.GetEnvironmentVariable("CAVECOMM_SEED") is { Length: > 0 } given ? int.Parse(given, CultureInfo.InvariantCulture) : Random.Shared.Next();
        output.WriteLine($"CAVECOMM_SEED={seed}");
        return new Random(seed);
    }
}
