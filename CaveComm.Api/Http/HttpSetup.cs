using System.Net;
using CaveComm.Api.Http.Idempotency;
using CaveComm.Api.Pages;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.AspNetCore.DataProtection.KeyManagement;
using Microsoft.AspNetCore.DataProtection.Repositories;
using Microsoft.AspNetCore.HttpOverrides;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace CaveComm.Api.Http;

/// <summary>The rules of spec "HTTP, for every endpoint", put together.</summary>
public static class HttpSetup
{
    public static IServiceCollection AddCaveCommHttp(this IServiceCollection services)
    {
        ArgumentNullException.ThrowIfNull(services);
        services.AddSingleton<IProblemDetailsWriter, ProblemWriter>(); // Before the framework's own: the first that can write does.
        services.AddProblemDetails();
        services.AddExceptionHandler<ExceptionProblems>();
        services.AddRazorComponents();
        services.AddAuthentication();
        services.AddAuthorization();
        services.AddAntiforgery(options =>
        {
            options.FormFieldName = Antiforgery.FieldName;
            options.HeaderName = Antiforgery.HeaderName;
            options.SuppressXFrameOptionsHeader = true; // Its own would allow our frames: SecurityHeaders allows none.
            options.Cookie.Name = "cavecomm-antiforgery";
            options.Cookie.SecurePolicy = CookieSecurePolicy.SameAsRequest;
            options.Cookie.SameSite = SameSiteMode.Lax; // Strict would lose it on the way back from a pay page.
        });
        services.AddIdempotency();
        services.AddRateLimits();
        services.AddDataProtection().SetApplicationName("CaveComm");
        services.AddOptions<KeyManagementOptions>().Configure<IConfiguration, ILoggerFactory>((options, configuration, logs) =>
            options.XmlRepository = new FileSystemXmlRepository(DataFolder.Keys(configuration), logs));
        services.ConfigureHttpJsonOptions(options => Json.Apply(options.SerializerOptions));
        services.Configure<RouteHandlerOptions>(options => options.ThrowOnBadRequest = true);
        services.Configure<KestrelServerOptions>(options =>
        {
            options.AddServerHeader = false;
            options.Limits.MaxRequestBodySize = Bodies.FormLimit; // An upload raises it for itself.
        });
        services.AddOptions<ForwardedHeadersOptions>().Configure<IConfiguration>(TrustProxies);
        return services;
    }

    /// <summary>The middleware, in order, with routing, authentication and authorization. Map endpoints after it.</summary>
    public static WebApplication UseCaveCommHttp(this WebApplication app)
    {
        ArgumentNullException.ThrowIfNull(app);
        app.UseForwardedHeaders();
        app.Use(UnreadBody.Drain);
        app.Use(HostCookies.Rename);
        app.Use(SecurityHeaders.Add);
        app.UseExceptionHandler();
        app.UseStatusCodePages(ShowStatus);
        app.Use(MethodRules.BeforeRouting);
        app.UseRouting();
        app.Use(MethodRules.AfterRouting);
        app.UseAuthentication();
        app.UseAuthorization();
        app.UseRateLimiter();
        app.Use(Antiforgery.Guard);
        app.Use(IdempotentRequests.Handle);
        ProblemPages.Map(app);
        SiteFiles.Map(app);
        return app;
    }

    /// <summary>A status without a body (no such route, wrong method) becomes a problem document too.</summary>
    private static Task ShowStatus(Microsoft.AspNetCore.Diagnostics.StatusCodeContext status) =>
        status.HttpContext.RequestServices.GetRequiredService<IProblemDetailsService>()
            .WriteAsync(new ProblemDetailsContext { HttpContext = status.HttpContext }).AsTask();

    /// <summary>Forwarded headers are believed from <c>CaveComm:TrustedProxies</c> alone: addresses or networks, separated by commas.</summary>
    private static void TrustProxies(ForwardedHeadersOptions options, IConfiguration configuration)
    {
        options.KnownProxies.Clear();
        options.KnownIPNetworks.Clear();
        options.ForwardLimit = null;
        var trusted = (configuration["CaveComm:TrustedProxies"] ?? "").Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
        // With nobody trusted nothing may be read: empty lists alone would mean "trust all".
        options.ForwardedHeaders = trusted is [] ? ForwardedHeaders.None : ForwardedHeaders.XForwardedFor | ForwardedHeaders.XForwardedProto;
        foreach (var entry in trusted)
        {
            if (entry.Contains('/', StringComparison.Ordinal))
            {
                options.KnownIPNetworks.Add(System.Net.IPNetwork.Parse(entry));
            }
            else
            {
                options.KnownProxies.Add(IPAddress.Parse(entry));
            }
        }
    }
}
