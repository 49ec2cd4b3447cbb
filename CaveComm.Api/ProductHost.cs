using CaveComm.Api.Admin;
using CaveComm.Api.Audit;
using CaveComm.Api.Billing;
using CaveComm.Api.Commissions;
using CaveComm.Api.Composition;
using CaveComm.Api.Customers;
using CaveComm.Api.Delivery;
using CaveComm.Api.Freelancers;
using CaveComm.Api.Health;
using CaveComm.Api.Http;
using CaveComm.Api.Identity;
using CaveComm.Api.Ledger;
using CaveComm.Api.Papers;
using CaveComm.Api.Payments;
using CaveComm.Api.Payouts;
using CaveComm.Api.Purchases;
using CaveComm.Api.Recurring;
using CaveComm.Api.Refunds;
using CaveComm.Providers;

namespace CaveComm.Api;

/// <summary>The product put together: reads like a table of contents.</summary>
public static class ProductHost
{
    /// <param name="settings">Configuration that stands above environment and appsettings.</param>
    public static WebApplication Build(IReadOnlyDictionary<string, string?> settings)
    {
        var builder = WebApplication.CreateSlimBuilder(new WebApplicationOptions { ContentRootPath = AppContext.BaseDirectory });
        builder.Configuration.AddInMemoryCollection(settings);
        builder.WebHost.UseKestrelHttpsConfiguration();
        builder.AddCaveCommLogging();

        var services = builder.Services;
        services.AddOptions<CaveCommOptions>().BindConfiguration("CaveComm").ValidateDataAnnotations().ValidateOnStart();
        services.AddSingleton(TimeProvider.System);
        services.AddSingleton<Links>();
        services.AddOpenApi(options => options.AddOperationTransformer(new ApiDescription()));
        services.AddCaveCommHttp();
        services.AddCaveCommIdentity();
        services.AddProviders(builder.Configuration);
        services.AddBackend(builder.Configuration);
        services.AddRecurringWork();
        services.AddCaveCommHealth();
        services.AddCaveCommTelemetry(builder.Configuration);
        services.AddScoped<CommissionHandling>();
        services.AddScoped<FreelancerHandling>();
        services.AddScoped<DownloadServing>();
        services.AddCustomers();
        services.AddScoped<IDemoSetup, DemoShop>();
        services.AddScoped<ProjectionDesk>();
        services.AddScoped<MessageDesk>();
        services.AddScoped<AuditReading>();

        var app = builder.Build();
        app.UseCaveCommHttp();
        app.MapOpenApi();
        app.MapCaveCommHealth();
        app.MapCaveCommIdentity();
        FrontPage.Map(app);
        TemplatePages.Map(app);
        ManageShop.Map(app);
        RequestCommission.Map(app);
        CustomerStatus.Map(app);
        Inbox.Map(app);
        ShowCommission.Map(app);
        DecideOnRequest.Map(app);
        CreateInvoice.Map(app);
        CheckPayment.Map(app);
        Webhooks.Map(app);
        UploadProduct.Map(app);
        Downloads.Map(app);
        MarkPaidOut.Map(app);
        RefundEndpoints.Map(app);
        PaperEndpoints.Map(app);
        ShowBilling.Map(app);
        AdministerCustomer.Map(app);
        ProjectionEndpoints.Map(app);
        MessageEndpoints.Map(app);
        LedgerEndpoints.Map(app);
        PurchaseEndpoints.Map(app);
        AuditEndpoints.Map(app);
        return app;
    }
}
