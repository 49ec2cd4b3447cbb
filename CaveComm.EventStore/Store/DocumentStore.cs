using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;

namespace CaveComm.EventStore;

/// <summary>One database of events and views.</summary>
public sealed class DocumentStore : IDocumentStore, IAsyncDisposable, IDisposable
{
    // A machine that vanishes says no goodbye. The server asks after it and ends what it had begun: its locks, and a transaction
    // that everybody who reads the log would wait for. By itself it would ask after two hours.
    private const string AskAfterUs = "set tcp_keepalives_idle = 5; set tcp_keepalives_interval = 2; set tcp_keepalives_count = 3";
    private readonly ILoggerFactory loggers;
    private readonly CommitNotifier notifier;

    internal DocumentStore(StoreOptions options, ILoggerFactory? loggers = null, TimeProvider? time = null)
    {
        this.loggers = loggers ?? NullLoggerFactory.Instance;
        Options = options;
        Time = options.Time ?? time ?? TimeProvider.System;
        EventSql = new(options.DatabaseSchemaName);
        Personal = new(this);
        EventReader = new(options, Personal);
        Documents = new(options);
        InlineProjections = [.. options.Projections.With(ProjectionLifecycle.Inline)];
        DataSource = BuildDataSource(options);
        Warm = new(DataSource, Math.Min(32, new NpgsqlConnectionStringBuilder(DataSource.ConnectionString).MaxPoolSize / 3), Time);
        Commits = new(Warm);
        ProjectionOperations = new ProjectionOperations(this);
        notifier = new(this, this.loggers.CreateLogger<CommitNotifier>());
        Signals.Others = notifier.Bell;
    }

    /// <summary>The pooled connections to the store's database. Connections keep their session state when they go back to the pool, so nobody may change it.</summary>
    public NpgsqlDataSource DataSource { get; }

    public StoreOptions Options { get; }

    /// <summary>What operators see of this store's projections and do to them.</summary>
    public IProjectionOperations ProjectionOperations { get; }

    /// <summary>The log as auditors see it.</summary>
    public IEventHistory History => new EventHistory(this);

    internal TimeProvider Time { get; }

    internal WarmConnections Warm { get; }

    internal GroupCommit Commits { get; }

    internal EventSql EventSql { get; }

    internal EventReader EventReader { get; }

    internal PersonalKeys Personal { get; }

    internal DocumentCatalog Documents { get; }

    internal IReadOnlyList<ProjectionBase> InlineProjections { get; }

    internal Signals Signals { get; } = new();

    /// <summary>A store without a container, as in Marten.</summary>
    public static DocumentStore For(Action<StoreOptions> configure)
    {
        var options = new StoreOptions();
        configure(options);
        return new(options);
    }

    public IDocumentSession LightweightSession() => new DocumentSession(this);

    public IQuerySession QuerySession() => new QuerySession(this);

    /// <summary>A daemon that runs this store's async projections once it is started.</summary>
    public ProjectionDaemon BuildProjectionDaemon() => new(this, loggers.CreateLogger<ProjectionDaemon>());

    /// <summary>Makes the tables that are missing. Several processes may call it at once.</summary>
    /// <exception cref="WrongMasterKeyException">The database holds personal data that <see cref="PersonalOptions.MasterKey"/> does not open.</exception>
    public async Task ApplyAllConfiguredChangesToDatabaseAsync(CancellationToken cancel = default)
    {
        await new SchemaMigration(this).Apply(cancel);
        await Personal.CheckMasterKey(cancel);
    }

    /// <summary>A connection outside the pool, for what needs session state: locks, listening, planner settings.</summary>
    /// <param name="isPatient">Whether a command may take as long as it takes.</param>
    internal async Task<NpgsqlConnection> OpenDedicated(string purpose, CancellationToken cancel, bool isPatient = false)
    {
        var settings = new NpgsqlConnectionStringBuilder(Options.DirectConnectionString ?? Options.ConnectionString)
        {
            Pooling = false,
            ApplicationName = $"cavecomm {purpose}",
            MaxAutoPrepare = 20,
            TcpKeepAlive = true,
        };
        if (isPatient)
            settings.CommandTimeout = 0;
        var connection = new NpgsqlConnection(settings.ConnectionString);
        try
        {
            await connection.OpenAsync(cancel);
            await connection.Execute(AskAfterUs, cancel);
            return connection;
        }
        catch
        {
            await connection.DisposeAsync();
            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        await notifier.DisposeAsync();
        Commits.Dispose();
        await Warm.DisposeAsync();
        await DataSource.DisposeAsync();
    }

    public void Dispose() => DisposeAsync().AsTask().GetAwaiter().GetResult();

    // Npgsql's own log is left out: it tells every statement, with what is in it. Its traces and figures are there by name.
    // Prepared statements, and no reset when a connection goes back to the pool: a third of the throughput hangs on these two.
    private static NpgsqlDataSource BuildDataSource(StoreOptions options)
    {
        var settings = new NpgsqlConnectionStringBuilder(options.ConnectionString)
        {
            NoResetOnClose = true,
            IncludeFailedBatchedCommand = true, // Says which stream or participant an error is about.
        };
        if (settings.MaxAutoPrepare == 0 && options.DirectConnectionString is null) // A pooler that shares sessions may not know prepared statements.
            (settings.MaxAutoPrepare, settings.AutoPrepareMinUsages) = (200, 2);
        var builder = new NpgsqlDataSourceBuilder(settings.ConnectionString) { Name = "cavecomm" };
        if (options.DirectConnectionString is null) // What a pooler's connections are set to is its own affair.
            builder.UsePhysicalConnectionInitializer(Ask, AskAsync);
        return builder.Build();
    }

    private static void Ask(NpgsqlConnection connection)
    {
        using var ask = new NpgsqlCommand(AskAfterUs, connection);
        ask.ExecuteNonQuery();
    }

    private static async Task AskAsync(NpgsqlConnection connection)
    {
        await using var ask = new NpgsqlCommand(AskAfterUs, connection);
        await ask.ExecuteNonQueryAsync();
    }
}
