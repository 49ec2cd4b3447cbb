using CaveComm.Api.Commissions;
using CaveComm.Api.Customers;
using CaveComm.Api.Delivery;
using CaveComm.Api.Http;
using CaveComm.Api.Http.Idempotency;
using CaveComm.Api.Identity;
using CaveComm.Api.Notifications;
using CaveComm.Api.OwnAccount;
using CaveComm.Api.Payments;
using CaveComm.Api.Recurring;
using CaveComm.Domain;
using CaveComm.Domain.Commissions;
using CaveComm.Domain.Freelancers;
using CaveComm.Domain.Notifications;
using CaveComm.Domain.Payments;
using CaveComm.Projections;
using CaveComm.Projections.Commissions;
using CaveComm.Projections.Freelancers;
using CaveComm.Projections.Ledger;
using CaveComm.Projections.Payments;
using JasperFx;
using JasperFx.CodeGeneration.Model;
using JasperFx.Events.Daemon;
using Marten;
using Npgsql;
using Weasel.Core;
using Wolverine.Configuration;
using Wolverine.ErrorHandling;
using Wolverine.Marten;

namespace CaveComm.Api.Composition;

/// <summary>Event store and messaging, put together on Marten and Wolverine: the same tables, names and rules as <c>KernelBackend</c>.</summary>
internal static class MartenBackend
{
    public const string ConnectionName = "CaveComm";

    private static readonly TimeSpan[] Backoff =
    [
        TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(2), TimeSpan.FromSeconds(5), TimeSpan.FromSeconds(10), TimeSpan.FromSeconds(15), TimeSpan.FromSeconds(20),
        TimeSpan.FromSeconds(30), TimeSpan.FromSeconds(45), TimeSpan.FromMinutes(1), TimeSpan.FromMinutes(2), TimeSpan.FromMinutes(5), TimeSpan.FromMinutes(15), TimeSpan.FromHours(1),
    ];

    // Wolverine schedules at most 25 retries unless they never end; the kernel gives an unexpected failure about a day, too.
    private static readonly TimeSpan[] Transient = [.. Backoff, .. Enumerable.Repeat(Backoff[^1], 11)];

    public static IServiceCollection AddBackend(this IServiceCollection services, IConfiguration configuration)
    {
        var connection = configuration.GetConnectionString(ConnectionName)
            ?? throw new InvalidOperationException($"No database is configured: set ConnectionStrings__{ConnectionName}.");
        var isMade = MartenTables.Exist(connection);
        if (isMade)
        {
            MartenTables.AddMissing(connection);
        }

        var marten = services.AddMarten(options =>
            {
                options.Connection(connection);

                // Tables are made at the start or not at all: by the first write Marten would take states that are folded live for documents, and want tables for them.
                options.AutoCreateSchemaObjects = AutoCreate.None;
                Store(options);
            })
            .UseLightweightSessions()
            .IntegrateWithWolverine(integration =>
            {
                integration.MessageStorageSchemaName = "wolverine";
                integration.AutoCreate = AutoCreate.CreateOrUpdate;
            })
            .AddAsyncDaemon(DaemonMode.HotCold);
        if (!isMade)
        {
            marten.ApplyAllDatabaseChangesOnStartup();
        }

        // It logs each statement that failed, with all that it would have written: lost races as failures, and what people wrote. What fails is thrown, too.
        services.AddLogging(logging => logging.AddFilter("Marten.IDocumentStore", LogLevel.None));
        services.AddWolverine(Messages);
        services.AddSingleton(_ => NpgsqlDataSource.Create(connection));
        services.AddScoped<IOutbox, SessionOutbox>();
        services.AddSingleton<MartenProgress>();
        services.AddSingleton<IProjectionOperations, MartenOperations>();
        services.AddSingleton<MartenDaemon>();
        services.AddSingleton<EventStore.IProjectionDaemon>(provider => provider.GetRequiredService<MartenDaemon>());
        services.AddHostedService(provider => provider.GetRequiredService<MartenDaemon>());
        services.AddSingleton<IPersonalData, UnsealedPersonalData>();
        services.AddSingleton(_ => Log(connection, configuration));
        services.AddSingleton(provider => provider.GetRequiredService<EventStore.DocumentStore>().History);
        services.AddSingleton<IMessageStore, WolverineMessages>();
        services.AddSingleton<IViewFreshness, DaemonFreshness>();
        services.AddKeyedWrites<QueuedWrites>();
        return services;
    }

    /// <summary>Auditors read the tables as they are: the kernel's own reader does that, whoever wrote them. What the kernel sealed opens here, too.</summary>
    private static EventStore.DocumentStore Log(string connection, IConfiguration configuration) => EventStore.DocumentStore.For(options =>
    {
        options.Connection(connection);
        EventAliases.MapAll(options.Events.MapEventType);
        PersonalData.Configure(options.Personal, configuration);
    });

    private static void Store(StoreOptions options)
    {
        options.UseSystemTextJsonForSerialization(EnumStorage.AsString, Casing.CamelCase);
        options.Events.StreamIdentity = JasperFx.Events.StreamIdentity.AsString;

        // Only so do appended events know their place in the log, which answers tell to whoever wrote; and it needs no function in the database.
        options.Events.AppendMode = JasperFx.Events.EventAppendMode.Rich;

        // The record of skipped gaps has a table and a function of its own, which a database of the kernel lacks; without them the daemon would stand at a gap.
        options.Events.EnableAdvancedAsyncTracking = false;

        // Every write folds what is stored, as the kernel does.
        options.Events.UseIdentityMapForAggregates = false;
        options.Events.MetadataConfig.CorrelationIdEnabled = true;
        options.Events.MetadataConfig.CausationIdEnabled = true;
        options.Events.MetadataConfig.HeadersEnabled = true;
        options.Listeners.Add(new ActorHeader());
        EventAliases.MapAll(options.Events.MapEventType);

        // Added by type: an instance that is added makes its state a document, which must have an Id, though it is folded live and never stored.
        options.Projections.Add<DeciderProjection<Commission, CommissionEvent>>(ProjectionLifecycle.Live);
        options.Projections.Add<DeciderProjection<Freelancer, FreelancerEvent>>(ProjectionLifecycle.Live);
        options.Projections.Add<DeciderProjection<Slots, SlotEvent>>(ProjectionLifecycle.Live);
        options.Projections.Add<DeciderProjection<Balance, BalanceEvent>>(ProjectionLifecycle.Live);
        options.Projections.Add(new CommissionDetailProjection(), ProjectionLifecycle.Live);

        // Marten calls a projection after its view, the kernel after its class: both must read the same row of progress.
        options.Projections.Add(new InboxProjection { Name = nameof(InboxProjection) }, ProjectionLifecycle.Async);
        options.Projections.Add(new ShopWindowProjection { Name = nameof(ShopWindowProjection) }, ProjectionLifecycle.Async);
        options.Projections.Add(new BillingProjection { Name = nameof(BillingProjection) }, ProjectionLifecycle.Async);
        options.Projections.Add(new LedgerProjection { Name = nameof(LedgerProjection) }, ProjectionLifecycle.Async);
        options.Projections.Add(new PurchaseProjection { Name = nameof(PurchaseProjection) }, ProjectionLifecycle.Async);
        options.ConfigureCustomers();
        options.Schema.For<InboxItem>().Duplicate(it => it.Freelancer).Duplicate(it => it.Status).Duplicate(it => it.CustomerId);
        options.Schema.For<ShopWindow>().Duplicate(it => it.Handle).Duplicate(it => it.IsOpen);
        options.Schema.For<BillingDay>().Duplicate(it => it.Freelancer).Duplicate(it => it.Day);
        options.Schema.For<LedgerBook>().Duplicate(it => it.Freelancer).Duplicate(it => it.IsBalanced);
        options.Schema.For<PurchaseTrack>().Duplicate(it => it.Status).Duplicate(it => it.Freelancer).Duplicate(it => it.Began).Duplicate(it => it.WaitingSince);
        options.Schema.For<ReadMark>();
        options.Schema.For<PayoutOwner>();
        options.Schema.For<RefundOwner>();
        options.Schema.For<DownloadRecord>();
        options.Schema.For<RecurringSeries>();
        options.Schema.For<ProviderCheck>();
        options.Schema.For<EventListMark>();
        options.Schema.For<PendingUpload>().Duplicate(it => it.BegunAt);
        IdentityStorage.Configure(options);

        // Marten would pass over what it cannot apply and note it down. A view that stands still is noticed; money that is left out is not.
        options.Projections.Errors.SkipApplyErrors = false;
        options.Projections.Errors.SkipSerializationErrors = false;
        options.Projections.Errors.SkipUnknownEvents = false;
    }

    private static void Messages(WolverineOptions options)
    {
        options.ApplicationAssembly = typeof(MartenBackend).Assembly;

        // Handlers are compiled when they are first needed, and may ask for services that are made by functions.
        options.UseRuntimeCompilation();
        options.ServiceLocationPolicy = ServiceLocationPolicy.AllowedButWarn;
        options.Policies.AutoApplyTransactions();
        options.Policies.UseDurableLocalQueues();
        options.MessagePartitioning
            .ByMessage<ICommissionMessage>(message => StreamKey.Commission(message.Commission))
            .ByMessage<MailCustomer>(message => $"mail:{message.Commission}")
            .ByMessage<MailFreelancer>(message => $"mail:{message.Commission}")
            .ByMessage<MailAccount>(message => $"mail:{message.Account}")
            .ByMessage<MailInvitation>(message => $"mail:{message.Invitation}")
            .ByMessage<IRecurringMessage>(message => $"recurring:{message.Series}");
        options.Publish(rule =>
        {
            rule.MessagesImplementing<ICommissionMessage>();
            rule.ToLocalQueue("payments");
        });
        options.Publish(rule =>
        {
            rule.Message<MailCustomer>();
            rule.Message<MailFreelancer>();
            rule.Message<MailAccount>();
            rule.Message<MailInvitation>();
            rule.ToLocalQueue("mail");
        });
        options.Publish(rule =>
        {
            rule.MessagesImplementing<IRecurringMessage>();
            rule.ToLocalQueue("upkeep");
        });

        // Wolverine keeps the order within a group only in 3, 5, 7 or 9 lanes: the largest number that is no more than the kernel's 8 and 4 (upkeep has 2: the least).
        options.LocalQueue("payments").UseDurableInbox().PartitionProcessingByGroupId(PartitionSlots.Seven);
        options.LocalQueue("mail").UseDurableInbox().PartitionProcessingByGroupId(PartitionSlots.Three);
        options.LocalQueue("upkeep").UseDurableInbox().PartitionProcessingByGroupId(PartitionSlots.Three);

        // As MessagePolicies has it. Wolverine cannot wait as long as an exception says, so here a throttled call waits its turn of the back-off.
        // However long a provider or the mail server is away, the work waits: a schedule that ends in silence would cost money.
        options.OnException<GatewayUnavailableException>().ScheduleRetryIndefinitely(Backoff);
        options.OnException<MailUnavailableException>().ScheduleRetryIndefinitely(Backoff);
        options.OnException<GatewayRefusedException>().MoveToErrorQueue();
        options.OnException<MailRefusedException>().MoveToErrorQueue();
        options.OnException<AlarmException>().MoveToErrorQueue();
        options.OnException<ConcurrencyException>().RetryTimes(10).Then.ScheduleRetry(Transient);
        options.OnException<ExistingStreamIdCollisionException>().RetryTimes(10).Then.ScheduleRetry(Transient);
        options.OnException<Exception>().ScheduleRetry(Transient);
    }

    private sealed class DaemonFreshness(MartenDaemon daemon) : IViewFreshness
    {
        public Task<bool> WaitFor<TView>(long position, TimeSpan patience, CancellationToken cancel)
            where TView : class => daemon.WaitForPosition<TView>(position, patience, cancel);

        public Task<bool> HaveForgotten(TimeSpan patience, CancellationToken cancel) => daemon.WaitUntilForgotten(patience, cancel);
    }
}
