namespace CaveComm.Sandbox;

/// <summary>Where the look-alikes keep what they know, and how they are reached.</summary>
public sealed record SandboxOptions
{
    /// <summary>The product's data folder (<c>--data</c>); what is the sandbox's own lies in <c>sandbox</c> under it.</summary>
    public required string DataFolder { get; init; }

    /// <summary>Null: a free one, chosen at the first start and kept with the data. The same goes for the others.</summary>
    public int? StripePort { get; init; }

    public int? BtcPayPort { get; init; }

    public int? MailPort { get; init; }

    public int? SmtpPort { get; init; }

    public TimeProvider Time { get; init; } = TimeProvider.System;
}
