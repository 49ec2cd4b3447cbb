using System.Reflection;
using System.Text.Json;
using System.Text.Json.Serialization;
using CaveComm.EventStore;

namespace CaveComm.Messaging;

/// <summary>How messages are found, routed, grouped and retried.</summary>
public sealed class MessagingOptions
{
    public const string DefaultQueue = "default";

    private readonly List<(Type Exception, Func<Exception, FailureAction> Decide)> policies = [];
    private readonly List<(Type Message, string Queue)> routes = [];
    private readonly Dictionary<string, QueueOptions> queues = new(StringComparer.Ordinal) { [DefaultQueue] = new(DefaultQueue, 16) };

    internal string ConnectionString { get; private set; } = "";

    internal string? ListenConnectionString { get; private set; }

    internal HashSet<Assembly> Assemblies { get; } = [];

    internal HashSet<Type> HandlerClasses { get; } = [];

    internal IReadOnlyDictionary<string, QueueOptions> Queues => queues;

    internal IReadOnlyList<(Type Message, string Queue)> Routes => routes;

    internal MessagingTimings Timings { get; set; } = new();

    /// <summary>For tests: called between the steps of a delivery, where a crash could fall.</summary>
    internal Func<DeliveryStep, Guid, ValueTask>? Probe { get; set; }

    /// <summary>Default group keys.</summary>
    public MessagePartitioning MessagePartitioning { get; } = new();

    /// <summary>How bodies are stored. Keys may come back in another order, since they are kept as <c>jsonb</c>.</summary>
    public JsonSerializerOptions Json { get; } = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        Converters = { new JsonStringEnumConverter() },
        AllowOutOfOrderMetadataProperties = true,
    };

    /// <summary>Failed attempts after which a message becomes a dead letter. 30 with the default pauses is about a day.</summary>
    public int MaxAttempts { get; set; } = 30;

    /// <summary>The same for attempts that the other side turned away with a pause of its own.</summary>
    public int MaxThrottledAttempts { get; set; } = 1_000;

    /// <summary>The pause before each further attempt; the last one repeats. Each is spread by up to a fifth.</summary>
    public IReadOnlyList<TimeSpan> Backoff { get; set; } =
    [
        TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(2), TimeSpan.FromSeconds(5), TimeSpan.FromSeconds(15),
        TimeSpan.FromMinutes(1), TimeSpan.FromMinutes(5), TimeSpan.FromMinutes(15), TimeSpan.FromHours(1),
    ];

    /// <summary>A handler that runs longer is cancelled and counts as failed.</summary>
    public TimeSpan HandlerTimeout { get; set; } = TimeSpan.FromMinutes(5);

    /// <summary>How long running handlers may go on when the process stops; then they are cancelled and run elsewhere.</summary>
    public TimeSpan ShutdownTimeout { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>How long a <see cref="DeliveryOptions.DeduplicationId"/> is remembered unless the message says otherwise.</summary>
    public TimeSpan DeduplicationWindow { get; set; } = TimeSpan.FromDays(1);

    /// <summary>The database; the same as the event store's, or messages could not commit with its sessions.</summary>
    public void Connection(string connectionString) => ConnectionString = connectionString;

    /// <summary>A connection that reaches the server itself, for listening, where <see cref="Connection"/> goes through a pooler that shares sessions between transactions.</summary>
    public void ListenConnection(string connectionString) => ListenConnectionString = connectionString;

    /// <summary>Every public static class named <c>…Handler</c> of the assembly.</summary>
    public void IncludeAssembly(Assembly assembly) => Assemblies.Add(assembly);

    /// <summary>One handler class, whatever its name.</summary>
    public void IncludeHandler(Type handlerClass) => HandlerClasses.Add(handlerClass);

    /// <summary>A queue with a limit of its own on how many of its messages a node runs side by side.</summary>
    public QueueOptions Queue(string name, int parallel)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(parallel, 1);
        return queues[name] = new QueueOptions(name, parallel);
    }

    /// <summary>Messages that are a <typeparamref name="T"/> (a class or an interface) run in this queue. The first route that fits counts.</summary>
    public void RouteTo<T>(string queue) => routes.Add((typeof(T), queue));

    /// <summary>What to do when a handler throws this. The first policy that fits counts; the defaults come last.</summary>
    public void OnException<TException>(Func<TException, FailureAction> decide)
        where TException : Exception => policies.Add((typeof(TException), e => decide((TException)e)));

    /// <summary>The one place that says what a failure leads to.</summary>
    internal FailureAction Decide(Exception failure)
    {
        foreach (var (type, decide) in policies)
        {
            if (type.IsInstanceOfType(failure))
            {
                return decide(failure);
            }
        }

        return failure switch
        {
            UnreadableMessageException => new FailureAction.DeadLetter($"The body cannot be read: {failure.InnerException?.Message}"),
            ConcurrencyException or ExistingStreamIdCollisionException => new FailureAction.RetryNow(10),
            _ => new FailureAction.RetryWithBackoff(),
        };
    }
}

/// <summary>One queue's limits on this node.</summary>
public sealed class QueueOptions(string name, int parallel)
{
    public string Name { get; } = name;

    public int Parallel { get; } = parallel;

    internal int? BreakAfterFailures { get; private set; }

    internal TimeSpan BreakPause { get; private set; }

    /// <summary>Circuit breaker: after so many failures in a row this node leaves the queue alone for a while, then tries one message first.</summary>
    public QueueOptions BreakAfter(int failures, TimeSpan pause)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(failures, 1);
        BreakAfterFailures = failures;
        BreakPause = pause;
        return this;
    }
}

/// <summary>Default group keys by message type.</summary>
public sealed class MessagePartitioning
{
    private readonly List<(Type Message, Func<object, string?> Key)> rules = [];

    /// <summary>Messages that are a <typeparamref name="T"/> (a class or an interface) get this group key unless one is given. The first rule that fits counts; null means no group.</summary>
    public MessagePartitioning ByMessage<T>(Func<T, string?> key)
    {
        rules.Add((typeof(T), message => key((T)message)));
        return this;
    }

    internal IEnumerable<Type> Types => rules.Select(rule => rule.Message);

    internal Func<object, string?>? For(Type message) => rules.FirstOrDefault(rule => rule.Message.IsAssignableFrom(message)).Key;
}

/// <summary>The clockwork between nodes; tests run it faster.</summary>
internal sealed record MessagingTimings
{
    public TimeSpan Lease { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>The safety net behind all wake-ups.</summary>
    public TimeSpan Poll { get; init; } = TimeSpan.FromSeconds(1);

    public TimeSpan Heartbeat { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>A node that was silent for so long is dead, and its messages are free.</summary>
    public TimeSpan DeadAfter { get; init; } = TimeSpan.FromSeconds(8);

    /// <summary>How long after its cancellation a handler may still be waited for.</summary>
    public TimeSpan Grace { get; init; } = TimeSpan.FromSeconds(10);

    public TimeSpan Maintenance { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>A due message of a type that no node knows becomes a dead letter after this long; a deployment may bring the type until then.</summary>
    public TimeSpan UnknownTypeGrace { get; init; } = TimeSpan.FromHours(1);
}

/// <summary>Where in a message's life a crash could fall.</summary>
internal enum DeliveryStep
{
    /// <summary>Committed by its publisher, not yet in a worker's hands.</summary>
    Stored,

    /// <summary>In a worker's hands, the handler not yet called.</summary>
    Taken,

    /// <summary>The handler has returned, nothing is committed.</summary>
    Handled,

    /// <summary>The handler's work is committed (or, without a session, done), the worker has not taken note.</summary>
    Committed,
}
