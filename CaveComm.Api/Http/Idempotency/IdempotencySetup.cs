namespace CaveComm.Api.Http.Idempotency;

/// <summary>Put together, but for how writes commit with their key, which is the backend's.</summary>
internal static class IdempotencySetup
{
    public static IServiceCollection AddIdempotency(this IServiceCollection services)
    {
        services.AddSingleton<DuplicateGate>();
        services.AddSingleton<AnswerSeal>();
        services.AddSingleton<IdempotentRequests>();
        return services;
    }

    /// <summary>What a backend adds: the table, and its own way to write.</summary>
    public static IServiceCollection AddKeyedWrites<TWrites>(this IServiceCollection services)
        where TWrites : class, IKeyedWrites
    {
        services.AddSingleton<AnswerTable>();
        services.AddHostedService<AnswerTableStartup>();
        services.AddScoped<IKeyedWrites, TWrites>();
        return services;
    }

    private sealed class AnswerTableStartup(AnswerTable table) : IHostedLifecycleService
    {
        public Task StartingAsync(CancellationToken cancellationToken) => table.Ensure(cancellationToken);

        public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StartedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StoppingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }
}
