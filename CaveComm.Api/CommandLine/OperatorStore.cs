using CaveComm.Api.Admin;
using CaveComm.Api.Audit;
using CaveComm.Api.Commissions;
using CaveComm.Api.Composition;
using CaveComm.Api.Customers;
using CaveComm.Api.Identity;
using CaveComm.Api.OwnAccount;
using CaveComm.Api.Recurring;
using CaveComm.Providers;
using CaveComm.Sandbox.PostgreSql;
using Npgsql;

namespace CaveComm.Api.CommandLine;

/// <summary>The store as a command has it: the database of a data folder, and the product's services without its HTTP and its daemon.</summary>
/// <remarks>A private PostgreSQL that runs is used; one that does not is started, and stopped again if nobody else came to use it.</remarks>
internal sealed class OperatorStore : IAsyncDisposable
{
    private readonly PrivatePostgres? postgres;
    private readonly ServiceProvider services;

    private OperatorStore(DataFolder data, string connectionString, PrivatePostgres? postgres, ServiceProvider services)
    {
        Data = data;
        ConnectionString = connectionString;
        this.postgres = postgres;
        this.services = services;
    }

    public DataFolder Data { get; }

    public string ConnectionString { get; }

    public IDocumentStore Store => services.GetRequiredService<IDocumentStore>();

    public IEventHistory History => services.GetRequiredService<IEventHistory>();

    public ProjectionDesk Projections => services.GetRequiredService<ProjectionDesk>();

    public MessageDesk Messages => services.GetRequiredService<MessageDesk>();

    public AuditReading Audit => services.GetRequiredService<AuditReading>();

    public ISigningKeys SigningKeys => services.GetRequiredService<ISigningKeys>();

    /// <summary>A service that lives as long as one request does.</summary>
    public AsyncServiceScope Scope() => services.CreateAsyncScope();

    /// <summary>Runs a command on the store of a data folder that has one.</summary>
    public static async Task<int> Run(string dataPath, Func<OperatorStore, Task<int>> command, CancellationToken cancel)
    {
        try
        {
            await using var opened = await Open(dataPath, cancel);
            return await command(opened);
        }
        catch (OperationCanceledException) when (cancel.IsCancellationRequested)
        {
            throw new CommandFailure("Interrupted before it was done.");
        }
        catch (Exception refused) when (refused is UnknownProjectionException or RebuildRunningException or RebuildPausedException or RebuildOrderException or UnknownColumnException
            or ReplayRunningException or NotSupportedException or IOException)
        {
            throw new CommandFailure(refused.Message);
        }
        catch (NpgsqlException failed)
        {
            throw new CommandFailure($"The database does not do what it should: {failed.Message}");
        }
    }

    /// <exception cref="CommandFailure">There is no database yet: a mistyped folder shall not be taken for an empty office.</exception>
    public static async Task<OperatorStore> Open(string dataPath, CancellationToken cancel)
    {
        var configuration = OperatorConfiguration.Load();
        var full = Path.GetFullPath(dataPath);
        if (configuration.Value("ConnectionStrings:CaveComm") is null && !HasPrivateDatabase(full))
        {
            throw new CommandFailure($"There is no CaveComm database in {full}. Name its folder with --data, or make one with './cavecomm up'.");
        }

        return await OpenOrMake(configuration, DataFolder.Open(full), cancel);
    }

    /// <summary>As above, and makes the private PostgreSQL where there is none.</summary>
    public static async Task<OperatorStore> OpenOrMake(OperatorConfiguration configuration, DataFolder data, CancellationToken cancel)
    {
        var postgres = configuration.Value("ConnectionStrings:CaveComm") is null ? await PrivatePostgres.Start(data.Path, cancel) : null;
        var connection = postgres?.ConnectionString ?? configuration.Value("ConnectionStrings:CaveComm")!;
        var opened = new OperatorStore(data, connection, postgres, Services(configuration, data, connection));
        try
        {
            await Tables.Make(opened.services, cancel);
            await opened.services.GetRequiredService<IMessageStore>().Migrate(cancel);
            return opened;
        }
        catch
        {
            await opened.DisposeAsync();
            throw;
        }
    }

    public static bool HasPrivateDatabase(string dataPath) => Directory.Exists(Path.Combine(dataPath, "postgres", "cluster"));

    public async ValueTask DisposeAsync()
    {
        await services.DisposeAsync();
        if (postgres is not null)
        {
            await postgres.DisposeAsync();
        }
    }

    private static ServiceProvider Services(OperatorConfiguration configuration, DataFolder data, string connection)
    {
        var settings = new Dictionary<string, string?>(configuration.FromFiles)
        {
            ["ConnectionStrings:CaveComm"] = connection,
            ["CaveComm:DataPath"] = data.Path,
        };
        var composed = new ConfigurationBuilder().AddEnvironmentVariables().AddInMemoryCollection(settings).Build();
        var services = new ServiceCollection();
        services.AddSingleton<IConfiguration>(composed);
        services.AddSingleton(TimeProvider.System);
        services.AddLogging(logging => logging
            .SetMinimumLevel(LogLevel.Warning)
            .AddSimpleConsole(options => options.SingleLine = true)
            .Services.Configure<Microsoft.Extensions.Logging.Console.ConsoleLoggerOptions>(options => options.LogToStandardErrorThreshold = LogLevel.Trace));
        services.AddSingleton<ISigningKeys, FileSigningKeys>();
        services.AddBackend(composed);
        services.AddCustomers();

        // Nothing is sent from here: these are only known to messages that the product will work off.
        services.AddOptions<CaveCommOptions>().BindConfiguration("CaveComm");
        services.AddSingleton<Links>();
        services.AddSingleton<AccountLinks>();
        services.AddProviders(composed);
        services.AddRecurringWork();
        services.AddScoped<CommissionHandling>();
        services.AddSingleton<ProjectionDesk>();
        services.AddSingleton<MessageDesk>();
        services.AddSingleton<AuditReading>();
        return services.BuildServiceProvider();
    }
}
