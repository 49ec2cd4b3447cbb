using CaveComm.Api.Commissions;
using CaveComm.Api.Identity;
using CaveComm.Api.Payments;
using OpenTelemetry;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;

namespace CaveComm.Api.Composition;

/// <summary>Logs, traces and metrics for whoever operates this.</summary>
internal static class Observability
{
    private const string Endpoint = "OTEL_EXPORTER_OTLP_ENDPOINT";

    private static readonly string[] Sources = ["CaveComm.EventStore", "CaveComm.Messaging", "CaveComm.Providers", CommissionTrace.SourceName, "Marten", "Wolverine", "Microsoft.AspNetCore", "System.Net.Http", "Npgsql"];

    private static readonly string[] Meters =
        ["CaveComm.EventStore", "CaveComm.Messaging", "CaveComm.Providers", WebhookMetrics.MeterName, RefusedSignIns.MeterName, "Microsoft.AspNetCore.Hosting", "Microsoft.AspNetCore.Server.Kestrel", "System.Net.Http", "System.Runtime", "Npgsql"];

    /// <summary>JSON lines in Production; a quiet console elsewhere.</summary>
    public static void AddCaveCommLogging(this WebApplicationBuilder builder)
    {
        builder.Logging.ClearProviders();
        builder.Services.AddSingleton<IExternalScopeProvider, QuietScopes>();
        if (builder.Environment.IsProduction() && !builder.Configuration.GetValue<bool>("CaveComm:Sandbox"))
        {
            builder.Logging.AddJsonConsole(options => options.IncludeScopes = true);
        }
        else
        {
            builder.Logging.AddSimpleConsole(options => options.SingleLine = true);
        }

        builder.Logging.AddFilter("Microsoft", LogLevel.Warning).AddFilter("System.Net.Http", LogLevel.Warning).AddFilter("Npgsql", LogLevel.Warning);
    }

    /// <summary>Sends traces and metrics by OTLP when the standard variables name a collector.</summary>
    public static void AddCaveCommTelemetry(this IServiceCollection services, IConfiguration configuration)
    {
        if (string.IsNullOrWhiteSpace(configuration[Endpoint]))
        {
            return;
        }

        services.AddHostedService<TelemetryExport>();
    }

    /// <summary>Owns the exporters; what they have gathered leaves when the product stops.</summary>
    private sealed class TelemetryExport : IHostedService, IDisposable
    {
        private TracerProvider? traces;
        private MeterProvider? metrics;

        public Task StartAsync(CancellationToken cancellationToken)
        {
            traces = Sdk.CreateTracerProviderBuilder().ConfigureResource(it => it.AddService("cavecomm")).AddSource(Sources).AddOtlpExporter().Build();
            metrics = Sdk.CreateMeterProviderBuilder().ConfigureResource(it => it.AddService("cavecomm")).AddMeter(Meters).AddOtlpExporter().Build();
            return Task.CompletedTask;
        }

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public void Dispose()
        {
            traces?.Dispose();
            metrics?.Dispose();
        }
    }
}
