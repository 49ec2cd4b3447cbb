using CaveComm.Sandbox.Webhooks;

namespace CaveComm.Sandbox.BtcPay;

/// <summary>What a BTCPay Server look-alike is told at its start.</summary>
public sealed record BtcPayOptions
{
    /// <summary>0 takes a free one.</summary>
    public int Port { get; init; }

    /// <summary>The one API key; it may do everything in the one store.</summary>
    public required string ApiKey { get; init; }

    public required string StoreId { get; init; }

    /// <summary>Signs what goes to the address set by <c>/_control</c>; webhooks made over the API have secrets of their own.</summary>
    public required string WebhookSecret { get; init; }

    /// <summary>How long the chain takes to confirm a payment.</summary>
    public TimeSpan ConfirmAfter { get; init; } = TimeSpan.FromMilliseconds(400);

    /// <summary>How long the payout processor takes to begin an approved payout, and then to complete it.</summary>
    public TimeSpan PayoutStep { get; init; } = TimeSpan.FromMilliseconds(250);

    public RetrySchedule WebhookSchedule { get; init; } = RetrySchedule.Sandbox;
}
