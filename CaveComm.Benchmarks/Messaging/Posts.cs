using System.Collections.Concurrent;
using System.Diagnostics;
using CaveComm.Benchmarks.EventStore;
using CaveComm.EventStore;
using CaveComm.Messaging;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace CaveComm.Benchmarks.Messaging;

/// <summary>What messaging is measured with.</summary>
/// <param name="Number">Says which one it is.</param>
public sealed record Post(long Number, string Note);

public static class PostHandler
{
    public static void Handle(Post post, Mailbox mailbox) => mailbox.Arrived(post);
}

/// <summary>Has a meter read.</summary>
public sealed record ReadMeter(long Number);

public static class ReadMeterHandler
{
    public static void Handle(ReadMeter it, IDocumentSession session, Mailbox mailbox)
    {
        session.Events.StartStream<MeterView>($"meter/{it.Number}", MeterStore.Reading($"meter/{it.Number}"));
        mailbox.Arrived();
    }
}

/// <summary>Knows what arrived and when.</summary>
public sealed class Mailbox
{
    private readonly ConcurrentDictionary<long, TaskCompletionSource<long>> awaited = new();
    private long count;

    public long Count => Volatile.Read(ref count);

    /// <summary>The moment (<see cref="Stopwatch.GetTimestamp"/>) at which the handler was called.</summary>
    public Task<long> Await(long number) => awaited.GetOrAdd(number, _ => new(TaskCreationOptions.RunContinuationsAsynchronously)).Task;

    public void Arrived() => Interlocked.Increment(ref count);

    /// <summary>Waits without asking the database, which would be part of what is measured.</summary>
    public async Task Until(long goal, CancellationToken cancel)
    {
        while (Count < goal)
        {
            await Task.Delay(2, cancel);
        }
    }

    public void Arrived(Post post)
    {
        Arrived();
        if (awaited.TryRemove(post.Number, out var waiting))
        {
            waiting.SetResult(Stopwatch.GetTimestamp());
        }
    }
}

/// <summary>One node with messaging alone.</summary>
internal sealed class PostOffice : IAsyncDisposable
{
    private readonly ServiceProvider services;

    /// <param name="store">For handlers that append; null where there is none.</param>
    public PostOffice(string connectionString, Mailbox mailbox, IDocumentStore? store = null)
    {
        var collection = new ServiceCollection();
        collection.AddLogging();
        collection.AddSingleton(mailbox);
        if (store is not null)
        {
            collection.AddSingleton(store);
        }

        collection.AddMessaging(options =>
        {
            options.Connection(connectionString);
            options.IncludeHandler(typeof(PostHandler));
            if (store is not null)
            {
                options.IncludeHandler(typeof(ReadMeterHandler));
            }
        });
        services = collection.BuildServiceProvider();
    }

    public IMessageStore Messages => services.GetRequiredService<IMessageStore>();

    /// <summary>As the commit of another process would.</summary>
    public void Poke() => services.GetRequiredService<MessagingNode>().Poke();

    public async Task Start(CancellationToken cancel)
    {
        foreach (var hosted in services.GetServices<IHostedService>())
        {
            await hosted.StartAsync(cancel);
        }
    }

    public async Task Publish(Post post, DeliveryOptions? options = null)
    {
        await using var scope = services.CreateAsyncScope();
        await scope.ServiceProvider.GetRequiredService<IMessageBus>().PublishAsync(post, options);
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var hosted in services.GetServices<IHostedService>())
        {
            await hosted.StopAsync(CancellationToken.None);
        }

        await services.DisposeAsync();
    }
}
