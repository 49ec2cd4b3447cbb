using System.Collections.Concurrent;
using System.Diagnostics;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace CaveComm.Tests.Messaging.Conformance;

/// <summary>A provider out there: what it is asked for is done, and cannot be undone by any database.</summary>
internal sealed class OutsideWorld : IAsyncDisposable
{
    private readonly WebApplication application;
    private readonly ConcurrentQueue<Effect> done = new();
    private readonly ConcurrentDictionary<string, int> refusals = new();

    private OutsideWorld(WebApplication application) => this.application = application;

    public Uri Address { get; private set; } = null!;

    public IReadOnlyList<Effect> Done => [.. done];

    public static async Task<OutsideWorld> Start()
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().UseUrls("http://127.0.0.1:0");
        var world = new OutsideWorld(builder.Build());
        world.application.Run(world.Answer);
        await world.application.StartAsync();
        var addresses = world.application.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!;
        world.Address = new Uri(addresses.Addresses.Single());
        return world;
    }

    /// <summary>The next so many requests with this key are answered with 503, undone.</summary>
    public void Refuse(string key, int times) => refusals[key] = times;

    public async ValueTask DisposeAsync() => await application.DisposeAsync();

    private Task Answer(HttpContext http)
    {
        var key = http.Request.Headers["Idempotency-Key"].ToString();
        if (refusals.TryGetValue(key, out var left) && left > 0)
        {
            refusals[key] = left - 1;
            http.Response.StatusCode = StatusCodes.Status503ServiceUnavailable;
        }
        else
        {
            ActivityContext.TryParse(http.Request.Headers.TraceParent, null, out var trace);
            done.Enqueue(new Effect(key, trace.TraceId.ToString()));
        }

        return Task.CompletedTask;
    }
}

/// <param name="Key">The idempotency key that it was asked for with.</param>
internal sealed record Effect(string Key, string TraceId);
