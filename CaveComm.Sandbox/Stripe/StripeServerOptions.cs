using CaveComm.Sandbox.Mail;
using CaveComm.Sandbox.Webhooks;

namespace CaveComm.Sandbox.Stripe;

/// <summary>How the Stripe look-alike is set up.</summary>
/// <param name="ApiKey">The one secret key it knows, such as <c>sk_test_…</c>.</param>
/// <param name="WebhookSecret">Signs what goes to the webhook URL that <c>/_control</c> sets, such as <c>whsec_…</c>.</param>
/// <param name="Port">On 127.0.0.1; 0 takes a free one.</param>
public sealed record StripeServerOptions(string ApiKey, string WebhookSecret, int Port = 0)
{
    /// <summary>Where Stripe's own mails go; with none they wait. It may be called again for the same mail.</summary>
    public Func<SandboxMail, CancellationToken, Task>? MailSink { get; init; }

    /// <summary>The address in pay links, where it is not the one listened on.</summary>
    public Uri? PublicUrl { get; init; }

    /// <summary>The platform's name on invoices and mails.</summary>
    public string AccountName { get; init; } = "CaveComm Sandbox";

    /// <summary>From the making of a payout to its arrival.</summary>
    public TimeSpan PayoutTakes { get; init; } = TimeSpan.FromMilliseconds(500);

    /// <summary>From a refund that ends otherwise than at once to its end; days at the real one.</summary>
    public TimeSpan RefundTakes { get; init; } = TimeSpan.FromMilliseconds(500);

    /// <summary>From a payment by transfer at a checkout to its money; days at the real one.</summary>
    public TimeSpan SlowPaymentTakes { get; init; } = TimeSpan.FromMilliseconds(500);

    /// <summary>From evidence that decides a dispute to the bank's word; months at the real one.</summary>
    public TimeSpan DisputeTakes { get; init; } = TimeSpan.FromMilliseconds(500);

    /// <summary>From a payment to its money being available; days at the real one.</summary>
    public TimeSpan FundsAvailableAfter { get; init; } = TimeSpan.Zero;

    /// <summary>From a draft with <c>auto_advance</c> to its finalization.</summary>
    public TimeSpan AutoAdvanceAfter { get; init; } = TimeSpan.FromHours(1);

    /// <summary>How long a call that is made to time out holds its connection.</summary>
    public TimeSpan HangFor { get; init; } = TimeSpan.FromSeconds(60);

    public RetrySchedule WebhookSchedule { get; init; } = RetrySchedule.Sandbox;
}
