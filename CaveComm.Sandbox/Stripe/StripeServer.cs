using System.Net;
using System.Text.Json.Nodes;
using CaveComm.Sandbox.Faults;
using CaveComm.Sandbox.Storage;
using CaveComm.Sandbox.Stripe.Pages;
using CaveComm.Sandbox.Stripe.Resources;
using CaveComm.Sandbox.Stripe.Wire;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace CaveComm.Sandbox.Stripe;

/// <summary>A Stripe on loopback that speaks the real one's wire format: API, webhooks, hosted invoice page and mails.</summary>
/// <remarks>Its state is in the store alone, so it can be killed at any time and goes on where it was.</remarks>
public static class StripeServer
{
    /// <summary>Makes the server; <c>StartAsync</c> opens it and begins to send what waits, <c>StopAsync</c> or disposal ends both.</summary>
    /// <param name="store">Stays the caller's; dispose of it after the server.</param>
    public static WebApplication Build(SandboxStore store, StripeServerOptions options, TimeProvider time)
    {
        // Nothing from the surroundings: the product's own settings and environment are none of Stripe's business.
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Listen(IPAddress.Loopback, options.Port);
        });
        var world = new StripeWorld(store, options, time);
        builder.Services.AddRouting();
        builder.Services.AddSingleton<IHostLifetime, NoLifetime>();
        builder.Services.AddSingleton(_ => world); // Through a factory, so that the container disposes of it.
        builder.Services.AddSingleton<IHostedService, Sending>();
        builder.Services.Configure<HostOptions>(host => host.ShutdownTimeout = TimeSpan.FromSeconds(2));
        var app = builder.Build();
        Map(app, world);
        return app;
    }

    /// <summary>Where a started server listens.</summary>
    public static Uri Address(WebApplication app) =>
        new(app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First());

    /// <summary>Tells where the product's webhook endpoint is now; remembered, and can change at any time.</summary>
    public static void SetWebhookUrl(WebApplication app, Uri? url) =>
        app.Services.GetRequiredService<StripeWorld>().Webhooks.SetTarget(StripeWorld.DefaultEndpoint, url);

    /// <summary>Makes a connected account of a given id that can be paid out to, unless it is there.</summary>
    public static void SeedAccount(WebApplication app, string id, string? email = null, string country = "DE", string currency = "eur") =>
        app.Services.GetRequiredService<StripeWorld>().Transact(null, null, unit =>
        {
            Accounts.Seed(unit, id, email, country, currency);
            return true;
        });

    private static void Map(WebApplication app, StripeWorld world)
    {
        FaultSwitch.Use(app, "/v1", new JsonObject
        {
            ["timeoutEvery"] = 0,
            ["errorEvery"] = 0,
            ["errorsStored"] = false,
            ["delayMilliseconds"] = 0,
            ["failPayouts"] = false,
            ["duplicates"] = 1,
            ["holdWebhooks"] = false,
            ["dropWebhooks"] = false,
            ["shuffleWebhooks"] = false,
        });
        var api = new StripeApi(world, app.Lifetime.ApplicationStopping);
        app.Map("/v1/{**path}", (RequestDelegate)api.Serve);
        app.MapGet("/", http => OverviewPage.Show(http, world));
        app.MapGet("/_control", http => ControlEndpoint.Show(http, world));
        app.MapPost("/_control", http => ControlEndpoint.Change(http, world));
        app.MapGet("/pay/{page}", http => PayPage.Show(http, world, Value(http, "page")));
        app.MapPost("/pay/{page}", http => PayPage.Act(http, world, Value(http, "page")));
        app.MapGet("/checkout/{page}", http => CheckoutPage.Show(http, world, Value(http, "page")));
        app.MapPost("/checkout/{page}", http => CheckoutPage.Act(http, world, Value(http, "page")));
        app.MapGet("/portal/{page}", http => PortalPage.Show(http, world, Value(http, "page")));
        app.MapPost("/portal/{page}", http => PortalPage.Act(http, world, Value(http, "page")));
        app.MapGet("/setup/{account}/{secret}", http => SetupPage.Show(http, world, Value(http, "account"), Value(http, "secret")));
        app.MapPost("/setup/{account}/{secret}", http => SetupPage.Act(http, world, Value(http, "account"), Value(http, "secret")));
    }

    private static string Value(HttpContext http, string name) => (string)http.GetRouteValue(name)!;

    /// <summary>Sends while the server is open: begun when the port is known, ended when no request can come any more.</summary>
    private sealed class Sending(StripeWorld world, IServer server) : IHostedLifecycleService
    {
        public Task StartingAsync(CancellationToken cancellationToken)
        {
            IdempotencyKeys.Prune(world.Store, world.Time.GetUtcNow().ToUnixTimeSeconds());
            return Task.CompletedTask;
        }

        public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StartedAsync(CancellationToken cancellationToken)
        {
            world.Start(new Uri(server.Features.Get<IServerAddressesFeature>()!.Addresses.First()));
            return Task.CompletedTask;
        }

        public Task StoppingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StoppedAsync(CancellationToken cancellationToken) => world.DisposeAsync().AsTask();
    }

    /// <summary>The process and its signals belong to whoever runs the sandbox.</summary>
    private sealed class NoLifetime : IHostLifetime
    {
        public Task WaitForStartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }
}
