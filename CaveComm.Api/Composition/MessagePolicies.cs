using CaveComm.Api.Commissions;
using CaveComm.Api.Notifications;
using CaveComm.Api.OwnAccount;
using CaveComm.Api.Payments;
using CaveComm.Api.Recurring;
using CaveComm.Domain;
using CaveComm.Domain.Notifications;
using CaveComm.Domain.Payments;

namespace CaveComm.Api.Composition;

/// <summary>The one place that says in which queue and order messages run, and what a failure of each kind leads to.</summary>
/// <remarks>
/// <list type="table">
/// <item><term>transient</term><description>anything unexpected: back-off with jitter (<see cref="Backoff"/>), a dead letter after about a day</description></item>
/// <item><term>lost race</term><description>at once, ten times, then as transient (the kernel's own rule)</description></item>
/// <item><term>unavailable</term><description>a provider or the mail server is silent: back-off without end</description></item>
/// <item><term>throttled</term><description>somebody said how long to wait: that long and a little more, without end</description></item>
/// <item><term>permanent</term><description>a definite no, or a body that cannot be read: a dead letter at once</description></item>
/// </list>
/// Calls to each provider are limited and cut off in <c>CaveComm.Providers</c>; here only what becomes of the message is said. MartenBackend says the same in Wolverine's words.
/// </remarks>
internal static class MessagePolicies
{
    /// <summary>Whoever asks for a longer pause is asked again after this one: a slip of theirs must not stop a payment for a year.</summary>
    private static readonly TimeSpan LongestPause = TimeSpan.FromHours(1);

    /// <summary>
    /// The pause before each further attempt, spread by a fifth either way; the last repeats. Close together at first: what fails now and then works soon,
    /// and a provider that is really away is left alone by its circuit breaker, not by each message for itself.
    /// </summary>
    private static readonly TimeSpan[] Backoff =
    [
        TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(2), TimeSpan.FromSeconds(5), TimeSpan.FromSeconds(10), TimeSpan.FromSeconds(15), TimeSpan.FromSeconds(20),
        TimeSpan.FromSeconds(30), TimeSpan.FromSeconds(45), TimeSpan.FromMinutes(1), TimeSpan.FromMinutes(2), TimeSpan.FromMinutes(5), TimeSpan.FromMinutes(15), TimeSpan.FromHours(1),
    ];

    public static void Apply(MessagingOptions options)
    {
        options.Backoff = Backoff;
        options.MaxAttempts = 35;
        Queues(options);
        Failures(options);
    }

    private static void Queues(MessagingOptions options)
    {
        options.MessagePartitioning
            .ByMessage<ICommissionMessage>(message => StreamKey.Commission(message.Commission))
            .ByMessage<MailCustomer>(message => $"mail:{message.Commission}")
            .ByMessage<MailFreelancer>(message => $"mail:{message.Commission}")
            .ByMessage<MailAccount>(message => $"mail:{message.Account}")
            .ByMessage<MailInvitation>(message => $"mail:{message.Invitation}")
            .ByMessage<IRecurringMessage>(message => $"recurring:{message.Series}");

        // Each provider is called five times side by side at most (its setting MostCalls), so one that hangs leaves three of these hands to the others.
        options.Queue("payments", parallel: 8);
        options.Queue("mail", parallel: 4);
        options.Queue("upkeep", parallel: 2);
        options.RouteTo<ICommissionMessage>("payments");
        options.RouteTo<MailCustomer>("mail");
        options.RouteTo<MailFreelancer>("mail");
        options.RouteTo<MailAccount>("mail");
        options.RouteTo<MailInvitation>("mail");
        options.RouteTo<IRecurringMessage>("upkeep");
    }

    private static void Failures(MessagingOptions options)
    {
        // However long a provider or the mail server is away, the work waits: a schedule that ends in silence would cost money.
        options.MaxThrottledAttempts = int.MaxValue;
        options.OnException<GatewayUnavailableException>(e => Wait(e.RetryAfter));
        options.OnException<MailUnavailableException>(e => Wait(e.RetryAfter));
        options.OnException<GatewayRefusedException>(e => new FailureAction.DeadLetter(e.Message));
        options.OnException<MailRefusedException>(e => new FailureAction.DeadLetter($"The mail server refused: {e.Message}"));
        options.OnException<AlarmException>(e => new FailureAction.DeadLetter(e.Message));
    }

    // No pause, or one that is over by our clock, is no help: then the usual ones count, or we would ask as fast as we are answered.
    private static FailureAction Wait(TimeSpan? asked) => asked is { } pause && pause >= TimeSpan.FromSeconds(1)
        ? new FailureAction.RetryAfter((pause < LongestPause ? pause : LongestPause) * (1 + (0.2 * Random.Shared.NextDouble())))
        : new FailureAction.RetryWithBackoff(int.MaxValue);
}
