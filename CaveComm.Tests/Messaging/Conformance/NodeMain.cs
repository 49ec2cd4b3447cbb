using System.Diagnostics;
using System.Text.Json;
using CaveComm.EventStore;
using CaveComm.Messaging;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace CaveComm.Tests.Messaging.Conformance;

/// <summary>A messaging node alone in its process, to be killed there.</summary>
internal static class NodeMain
{
    public static async Task<int> Run(string argument)
    {
        var settings = JsonSerializer.Deserialize<NodeSettings>(argument)!;
        var deadline = new Deadline(settings);
        await using var store = MessagingWorld.StoreOver(settings.Database);
        using var outside = new OutsideEffects(settings.Effects, TimeSpan.FromMilliseconds(settings.WorkMilliseconds));
        var builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings());
        MessagingWorld.AddNode(builder.Services, settings.Database, store, outside.Journal(), options =>
        {
            options.Timings = settings.ProductTimings ? new MessagingTimings() : MessagingWorld.Watchful;
            options.ShutdownTimeout = TimeSpan.FromSeconds(5);
            options.Backoff = [TimeSpan.FromMilliseconds(50)];
            options.Queue(MessagingOptions.DefaultQueue, settings.Parallel);
            if (settings.KillAt is not null)
            {
                options.Probe = (step, _) => deadline.Reached(Enum.Parse<KillPoint>(step.ToString()));
            }
        });
        using var host = builder.Build();
        await host.StartAsync();
        Console.WriteLine($"{NodeProcess.UpLine}{host.Services.GetRequiredService<MessagingNode>().Id}");
        await Ask(host.Services, store, settings, deadline);
        await host.WaitForShutdownAsync();
        return 0;
    }

    // What was asked for is in the log by the same commit that sends the messages, so nobody has to guess what a killed process had sent.
    private static async Task Ask(IServiceProvider services, DocumentStore store, NodeSettings settings, Deadline deadline)
    {
        foreach (var number in Enumerable.Range(settings.FirstNumber, settings.Numbers))
        {
            await using var scope = services.CreateAsyncScope();
            await using var session = store.LightweightSession();
            var outbox = scope.ServiceProvider.GetRequiredService<IOutbox>();
            outbox.Enroll(session);
            var book = new Book($"work/{number % 4}", number);
            session.Events.Append(Asked.Stream, new Booked(number));
            await outbox.PublishAsync(book, number % 2 == 0 ? new DeliveryOptions { GroupId = book.Stream } : null);
            await outbox.PublishAsync(new Ping($"{number}"));
            await session.SaveChangesAsync();
            await deadline.Reached(KillPoint.Published);
        }
    }

    private sealed class Deadline(NodeSettings settings)
    {
        private int reached;

        public async ValueTask Reached(KillPoint point)
        {
            if (point == settings.KillAt && Interlocked.Increment(ref reached) == settings.KillCount)
            {
                using var self = Process.GetCurrentProcess();
                self.Kill(); // SIGKILL: nothing is flushed, closed or told.
                await Task.Delay(Timeout.Infinite);
            }
        }
    }
}
