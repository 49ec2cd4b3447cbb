using CaveComm.Api.Commissions;
using CaveComm.Api.Http;
using CaveComm.Api.Http.Idempotency;
using CaveComm.Domain.Customers;
using CaveComm.Projections;

namespace CaveComm.Api.Customers;

/// <summary>What customers need, put together.</summary>
internal static class CustomersSetup
{
    public static IServiceCollection AddCustomers(this IServiceCollection services)
    {
        services.AddSingleton<ErasureRegister>();
        services.AddScoped(it => new CustomerErasure(
            it.GetRequiredService<IDocumentStore>(),
            it.GetRequiredService<IPersonalData>(),
            it.GetRequiredService<IOutbox>(),
            it.GetRequiredService<IViewFreshness>(),
            it.GetRequiredService<CommissionHandling>(),
            it.GetRequiredService<ErasureRegister>(),
            it.GetRequiredService<IKeyedWrites>()));
        services.AddHostedService<RememberedErasures>();
        return services;
    }

    public static void ConfigureCustomers(this StoreOptions options)
    {
        options.Projections.Add<DeciderProjection<KnownCustomer, CustomerEvent>>(ProjectionLifecycle.Live);
        options.Schema.For<CustomerRecord>().Duplicate(it => it.CustomerId);
    }
}

/// <summary>Whoever put an older database back without a word to us: who was erased stays erased.</summary>
internal sealed partial class RememberedErasures(IServiceScopeFactory scopes, ILogger<RememberedErasures> log) : IHostedLifecycleService
{
    /// <summary>Tables exist by now, whatever the order in which hosted services were added.</summary>
    public async Task StartedAsync(CancellationToken cancellationToken)
    {
        await using var scope = scopes.CreateAsyncScope();
        var again = await scope.ServiceProvider.GetRequiredService<CustomerErasure>().ReapplyRemembered(cancellationToken);
        if (again > 0)
        {
            LogAgain(log, again);
        }
    }

    public Task StartingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    [LoggerMessage(Level = LogLevel.Warning, Message = "Erased {Count} customers again: the database was put back from before their erasure")]
    private static partial void LogAgain(ILogger log, int count);
}
