using CaveComm.Api.Composition;
using Npgsql;

namespace CaveComm.Api.Recurring;

/// <summary>Looks, at the start of each node and every minute, that each series has its next round: a series cannot end by one lost message.</summary>
internal sealed partial class RecurringKeeper(RecurringWorks works, IDocumentStore store, IServiceScopeFactory scopes, TimeProvider clock, ILogger<RecurringKeeper> log)
    : BackgroundService
{
    private static readonly TimeSpan Pause = TimeSpan.FromMinutes(1);

    /// <summary>While a round waits for its retry, it holds up its group; the same finding is then told once, not every minute by every node.</summary>
    private static readonly TimeSpan Told = TimeSpan.FromMinutes(10);

    /// <summary>One look at every series.</summary>
    public async Task Look(CancellationToken cancel)
    {
        await using var session = store.QuerySession();
        foreach (var (name, every) in works.All)
        {
            var now = clock.GetUtcNow();
            var series = await session.LoadAsync<RecurringSeries>(name, cancel);
            if (series is null || series.Mended(every, now) is not null)
            {
                await using var scope = scopes.CreateAsyncScope();
                await scope.ServiceProvider.GetRequiredService<IMessageBus>().PublishAsync(
                    new TendRecurring(name),
                    Deliver.Once($"tend:{name}:{series?.Occurrence}:{every}:{now.Ticks / Told.Ticks}", Told));
            }
        }
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Pause, clock);
        do
        {
            try
            {
                await Look(stoppingToken);
            }
            catch (Exception away) when (away is NpgsqlException or TimeoutException)
            {
                LogAway(log, away);
            }
        }
        while (await timer.WaitForNextTickAsync(stoppingToken));
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "The series of recurring work could not be looked at; in a minute again")]
    private static partial void LogAway(ILogger log, Exception away);
}

/// <summary>What comes round in this product.</summary>
internal static class RecurringSetup
{
    public static IServiceCollection AddRecurringWork(this IServiceCollection services)
    {
        services.AddSingleton<IRecurringWork, Reconciliation>();
        services.AddSingleton<IRecurringWork>(found => new StripeEvents(() => found.GetRequiredService<Domain.Payments.IPaymentProviders>()));
        services.AddSingleton<IRecurringWork>(found => new OrphanFiles(found.GetRequiredService<Domain.Delivery.IFileStore>));
        services.AddSingleton<IRecurringWork>(found => new RetiredViews(found.GetRequiredService<IProjectionOperations>, found.GetRequiredService<ILogger<RetiredViews>>()));
        services.AddSingleton(found => new RecurringWorks(found.GetServices<IRecurringWork>(), found.GetRequiredService<IConfiguration>()));
        services.AddHostedService<RecurringKeeper>();
        return services;
    }
}
