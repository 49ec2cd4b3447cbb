using System.Collections.Concurrent;
using System.Diagnostics;
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

/// <summary>Knows what arrived and when.</summary>
public sealed class Mailbox
{
    private readonly ConcurrentDictionary<long, TaskCompletionSource<long>> awaited = new();
    private long count;

    public long Count => Volatile.Read(ref count);

    /// <summary>The moment (<see cref="Stopwatch.GetTimestamp"/>) at which the handler was called.</summary>
    public Task<long> Await(long number) => awaited.GetOrAdd(number, _ => new(TaskCreationOptions.RunContinuationsAsynchronously)).Task;

    public void Arrived(Post post)
    {
        Interlocked.Increment(ref count);
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

    public PostOffice(string connectionString, Mailbox mailbox)
    {
        var collection = new ServiceCollection();
        collection.AddLogging();
        collection.AddSingleton(mailbox);
        collection.AddMessaging(options =>
        {
            options.Connection(connectionString);
            options.IncludeHandler(typeof(PostHandler));
        });
        services = collection.BuildServiceProvider();
    }

    public IMessageStore Messages => services.GetRequiredService<IMessageStore>();

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
