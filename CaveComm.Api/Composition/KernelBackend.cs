using CaveComm.Api.Customers;
using CaveComm.Api.Delivery;
using CaveComm.Api.Http;
using CaveComm.Api.Http.Idempotency;
using CaveComm.Api.Identity;
using CaveComm.Api.Payments;
using CaveComm.Api.Recurring;
using CaveComm.Domain.Commissions;
using CaveComm.Domain.Freelancers;
using CaveComm.Domain.Payments;
using CaveComm.Projections;
using CaveComm.Projections.Commissions;
using CaveComm.Projections.Freelancers;
using CaveComm.Projections.Ledger;
using CaveComm.Projections.Payments;

namespace CaveComm.Api.Composition;

/// <summary>Event store and messaging, put together on the kernels of this solution.</summary>
internal static class KernelBackend
{
    public const string ConnectionName = "CaveComm";

    /// <summary>Reaches the server itself, for locks and listening, where <see cref="ConnectionName"/> goes through a pooler such as PgBouncer.</summary>
    public const string DirectConnectionName = "CaveCommDirect";

    public static IServiceCollection AddBackend(this IServiceCollection services, IConfiguration configuration)
    {
        var connection = configuration.GetConnectionString(ConnectionName)
            ?? throw new InvalidOperationException($"No database is configured: set ConnectionStrings__{ConnectionName}.");
        var direct = configuration.GetConnectionString(DirectConnectionName);
        services.AddEventStore(options =>
        {
            options.Connection(connection);
            if (direct is not null)
            {
                options.DirectConnection(direct);
            }

            EventAliases.MapAll(options.Events.MapEventType);
            options.Projections.Add<DeciderProjection<Commission, CommissionEvent>>(ProjectionLifecycle.Live);
            options.Projections.Add<DeciderProjection<Freelancer, FreelancerEvent>>(ProjectionLifecycle.Live);
            options.Projections.Add<DeciderProjection<Slots, SlotEvent>>(ProjectionLifecycle.Live);
            options.Projections.Add<DeciderProjection<Balance, BalanceEvent>>(ProjectionLifecycle.Live);
            options.Projections.Add(new CommissionDetailProjection(), ProjectionLifecycle.Live);
            options.Projections.Add(new InboxProjection(), ProjectionLifecycle.Async);
            options.Projections.Add(new ShopWindowProjection(), ProjectionLifecycle.Async);
            options.Projections.Add(new BillingProjection(), ProjectionLifecycle.Async);
            options.Projections.Add(new LedgerProjection(), ProjectionLifecycle.Async);
            options.Projections.Add(new PurchaseProjection(), ProjectionLifecycle.Async);
            PersonalData.Configure(options.Personal, configuration);
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
        });
        services.AddMessaging(options =>
        {
            options.Connection(connection);
            if (direct is not null)
            {
                options.ListenConnection(direct);
            }

            options.IncludeAssembly(typeof(KernelBackend).Assembly);
            MessagePolicies.Apply(options);
        });
        services.AddSingleton<IViewFreshness, DaemonFreshness>();
        services.AddKeyedWrites<HeldWrites>();
        return services;
    }

    private sealed class DaemonFreshness(IProjectionDaemon daemon) : IViewFreshness
    {
        public Task<bool> WaitFor<TView>(long position, TimeSpan patience, CancellationToken cancel)
            where TView : class => daemon.WaitForPosition<TView>(position, patience, cancel);

        public Task<bool> HaveForgotten(TimeSpan patience, CancellationToken cancel) => daemon.WaitUntilForgotten(patience, cancel);
    }
}
