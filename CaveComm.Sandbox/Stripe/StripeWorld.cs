using System.Text.Json.Nodes;
using CaveComm.Sandbox.Mail;
using CaveComm.Sandbox.Storage;
using CaveComm.Sandbox.Stripe.Resources;
using CaveComm.Sandbox.Stripe.Wire;
using CaveComm.Sandbox.Webhooks;

namespace CaveComm.Sandbox.Stripe;

/// <summary>One Stripe: its state, its clock, and what it has under way to the outside.</summary>
internal sealed class StripeWorld : IAsyncDisposable
{
    public const string ApiVersion = "2026-07-29.dahlia";

    /// <summary>The endpoint whose URL <c>/_control</c> sets; it gets every event, those of connected accounts too.</summary>
    public const string DefaultEndpoint = "default";

    private const string Settings = "stripe.settings";

    private readonly DurableQueue timers;
    private readonly ShiftedTime clock;
    private Uri? listening;
    private int calls;

    public StripeWorld(SandboxStore store, StripeServerOptions options, TimeProvider time)
    {
        Store = store;
        Options = options;
        clock = new ShiftedTime(store, time);
        Webhooks = new WebhookQueue(store, "stripe", new WebhookQueueOptions(Sign, _ => true) { Schedule = options.WebhookSchedule }, time);
        Mails = new MailQueue(store, "stripe", options.MailSink, time);
        timers = new DurableQueue(store, "stripe.timers", RetrySchedule.Sandbox, clock, Ring);
    }

    public SandboxStore Store { get; }

    public StripeServerOptions Options { get; }

    /// <summary>The time in here, ahead of the world's by what <see cref="Advance"/> put it forward. Webhooks and mails go by the world's.</summary>
    public TimeProvider Time => clock;

    public TimeSpan Ahead => clock.Ahead;

    public WebhookQueue Webhooks { get; }

    public MailQueue Mails { get; }

    public Uri BaseUrl => Options.PublicUrl ?? listening ?? throw new InvalidOperationException("The server has not started.");

    /// <summary>Begins to send, once it is known where pay pages are.</summary>
    public void Start(Uri address)
    {
        listening = address;
        Webhooks.Start();
        Mails.Start();
        timers.Start();
    }

    /// <param name="account">The connected account that is acted for, or null for the platform.</param>
    public T Transact<T>(string? account, StripeRequest? request, Func<StripeUnit, T> work) =>
        Store.Transact(unit => work(new StripeUnit(this, unit, account, request)));

    public StripeControls Controls() => StripeControls.FromDocument(Store.Find(Settings, "controls"));

    public void Set(StripeControls controls) => Store.Transact(work => work.Put(Settings, "controls", controls.ToDocument()));

    /// <summary>Counts the API's calls, so that every n-th can be made to go wrong.</summary>
    public int CountCall() => Interlocked.Increment(ref calls);

    /// <summary>Whether the call that is counted next is an n-th one.</summary>
    public bool NextCallIs(int every) => (Volatile.Read(ref calls) + 1) % every == 0;

    /// <summary>Lets time pass at once; what comes due by it happens soon after.</summary>
    public void Advance(TimeSpan by)
    {
        clock.Advance(by);
        timers.Wake();
    }

    /// <summary>Something happens to an object by itself after a time.</summary>
    public void SetTimer(SandboxStore.Work work, string id, string? account, string what, TimeSpan after) =>
        timers.Enqueue(work, id, id, new JsonObject { ["what"] = what, ["account"] = account }, after);

    public async ValueTask DisposeAsync()
    {
        await timers.DisposeAsync();
        await Mails.DisposeAsync();
        await Webhooks.DisposeAsync();
    }

    private Task<Attempted> Ring(QueuedItem timer, CancellationToken cancel)
    {
        var what = (string)timer.Content["what"]!;
        Transact((string?)timer.Content["account"], null, unit =>
        {
            Timers.Ring(unit, what, timer.Key);
            return true;
        });
        return Task.FromResult(new Attempted(Attempted.Verdict.Done, what));
    }

    private WebhookPost Sign(QueuedItem delivery, DateTimeOffset now)
    {
        var secret = delivery.Lane == DefaultEndpoint
            ? Options.WebhookSecret
            : (string?)Store.Find(StripeUnit.Collection("webhook_endpoint"), delivery.Lane)?["_secret"] ?? Options.WebhookSecret;
        var body = WebhookQueue.Body(delivery);
        return new WebhookPost(body, new Dictionary<string, string>
        {
            [StripeSignature.Header] = StripeSignature.Of(body, secret, now),
            ["User-Agent"] = "Stripe/1.0 (+https://stripe.com/docs/webhooks)",
        });
    }
}

/// <summary>What an event says about the call that caused it.</summary>
internal sealed record StripeRequest(string Id, string? IdempotencyKey);
