using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using CaveComm.Sandbox.Storage;

namespace CaveComm.Sandbox.Webhooks;

/// <summary>A look-alike's webhooks on their way: queued with the change they tell of, posted until somebody takes them.</summary>
/// <remarks>
/// An endpoint is a name; where it is can change at any time and is remembered, since the product may come up on another port.
/// An endpoint gets one post at a time, but a post that failed lets the others by, so order is likely and not promised, as with the real ones.
/// </remarks>
public sealed class WebhookQueue : IAsyncDisposable
{
    private const string Targets = "targets";
    private const string Switches = "switches";

    private readonly SandboxStore store;
    private readonly string settings;
    private readonly WebhookQueueOptions options;
    private readonly TimeProvider time;
    private readonly HttpClient http;
    private readonly DurableQueue queue;

    /// <param name="name">Begins the names of the collections in the store; one per provider.</param>
    public WebhookQueue(SandboxStore store, string name, WebhookQueueOptions options, TimeProvider time)
    {
        this.store = store;
        this.options = options;
        this.time = time;
        settings = name + ".webhook-settings";
        http = new HttpClient(new SocketsHttpHandler { AllowAutoRedirect = false, UseProxy = false, PooledConnectionLifetime = TimeSpan.FromMinutes(2) })
        {
            Timeout = options.Timeout,
        };
        queue = new DurableQueue(store, name + ".webhooks", options.Schedule, time, Post, IsOpen, ShuffleIfAsked);
    }

    public void Start() => queue.Start();

    /// <summary>Queues a webhook in the transaction of the change it tells of.</summary>
    /// <param name="key">The event's id, the same for every copy and attempt.</param>
    /// <param name="body">JSON text.</param>
    /// <param name="facts">Anything else that <see cref="WebhookQueueOptions.Prepare"/> needs; it comes back as <c>Content["facts"]</c>.</param>
    public void Enqueue(SandboxStore.Work work, string endpoint, string key, string body, JsonObject? facts = null)
    {
        var switches = WebhookSwitches.FromDocument(work.Find(settings, Switches));
        for (var copy = 0; copy < switches.Copies && !switches.Drop; copy++)
        {
            queue.Enqueue(work, endpoint, key, new JsonObject { ["body"] = body, ["facts"] = facts?.DeepClone() });
        }
    }

    /// <summary>The text that was given to <see cref="Enqueue"/>.</summary>
    public static string Body(QueuedItem item) => (string)item.Content["body"]!;

    /// <summary>Where an endpoint is. With none its webhooks wait; with a new one all that wait are tried at once.</summary>
    public void SetTarget(string endpoint, Uri? target)
    {
        store.Transact(work => SetTarget(work, endpoint, target));
        queue.Hurry(endpoint);
    }

    /// <summary>The same as part of a larger change, such as the making of an endpoint.</summary>
    public void SetTarget(SandboxStore.Work work, string endpoint, Uri? target)
    {
        var targets = work.Find(settings, Targets) ?? [];
        targets[endpoint] = target?.AbsoluteUri;
        work.Put(settings, Targets, targets);
        queue.Wake();
    }

    /// <summary>An endpoint is deleted: its webhooks go nowhere any more.</summary>
    public void Forget(SandboxStore.Work work, string endpoint)
    {
        var targets = work.Find(settings, Targets) ?? [];
        targets.Remove(endpoint);
        work.Put(settings, Targets, targets);
        queue.Forget(work, endpoint);
    }

    public Uri? Target(string endpoint) =>
        (string?)store.Find(settings, Targets)?[endpoint] is { } url ? new Uri(url) : null;

    public WebhookSwitches ReadSwitches() => WebhookSwitches.FromDocument(store.Find(settings, Switches));

    public void Set(WebhookSwitches switches)
    {
        store.Transact(work => work.Put(settings, Switches, switches.ToDocument()));
        queue.Wake();
    }

    public IReadOnlyList<QueuedItem> Waiting() => queue.Waiting();

    /// <summary>The last that were delivered or given up, oldest first.</summary>
    public IReadOnlyList<QueuedItem> Ended() => queue.Ended();

    /// <summary>The keys of those that nobody has taken yet, given up ones too.</summary>
    public IReadOnlySet<string> Undelivered() => queue.NotDone();

    public int CountWaiting() => queue.CountWaiting();

    /// <summary>Sends one again that has ended (or still waits), as a new delivery with the same key.</summary>
    public QueuedItem? Redeliver(string id) => queue.Repeat(id);

    public async ValueTask DisposeAsync()
    {
        await queue.DisposeAsync();
        http.Dispose();
    }

    private bool IsOpen(string endpoint) => !ReadSwitches().Hold && Target(endpoint) is not null;

    private void ShuffleIfAsked(string[] due)
    {
        if (ReadSwitches().Shuffle)
        {
            Random.Shared.Shuffle(due);
        }
    }

    private async Task<Attempted> Post(QueuedItem item, CancellationToken cancel)
    {
        if (Target(item.Lane) is not { } target)
        {
            return new Attempted(Attempted.Verdict.TryAgain, "there is no target any more");
        }

        var post = options.Prepare(item, time.GetUtcNow());
        using var request = new HttpRequestMessage(HttpMethod.Post, target) { Content = new StringContent(post.Body, Encoding.UTF8, "application/json") };
        foreach (var (header, value) in post.Headers)
        {
            request.Headers.TryAddWithoutValidation(header, value);
        }

        try
        {
            using var answer = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancel);
            var verdict = answer.IsSuccessStatusCode ? Attempted.Verdict.Done
                : options.TryAgainAfter(answer.StatusCode) ? Attempted.Verdict.TryAgain
                : Attempted.Verdict.GivenUp;
            return new Attempted(verdict, ((int)answer.StatusCode).ToString(CultureInfo.InvariantCulture));
        }
        catch (HttpRequestException fault)
        {
            return new Attempted(Attempted.Verdict.NobodyThere, $"no answer: {fault.HttpRequestError}");
        }
        catch (TaskCanceledException) when (!cancel.IsCancellationRequested)
        {
            return new Attempted(Attempted.Verdict.NobodyThere, "no answer in time");
        }
    }
}
