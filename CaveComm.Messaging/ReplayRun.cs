namespace CaveComm.Messaging;

/// <summary>Which dead letters to send again. Everything that is given has to fit.</summary>
/// <param name="MessageType">The stored alias.</param>
/// <param name="Since">Only those that died then or later.</param>
/// <param name="Error">A part of the reason for which they were given up, in either case.</param>
/// <param name="ExceptType">Left out, unless it is what <paramref name="MessageType"/> asks for.</param>
public sealed record ReplayFilter(string? MessageType = null, string? Queue = null, DateTimeOffset? Since = null, string? Error = null, string? ExceptType = null);

/// <summary>Dead letters that are being sent again, or were.</summary>
/// <param name="Total">Letters that it took off the list.</param>
/// <param name="Waiting">Their turn has not come.</param>
/// <param name="UnderWay">Sent, and neither handled nor dead again; waiting retries included.</param>
/// <param name="DeadAgain">Back among the dead.</param>
/// <param name="SentBy">When the last one's turn is.</param>
/// <param name="EndedAt">When it was found that none is under way any more.</param>
public sealed record ReplayRun(
    Guid Id, ReplayFilter Filter, int PerSecond, int Total, int Waiting, int UnderWay, int DeadAgain, DateTimeOffset StartedAt, DateTimeOffset SentBy, DateTimeOffset? EndedAt)
{
    public int Handled => Total - Waiting - UnderWay - DeadAgain;

    /// <summary><c>sending</c> while letters wait for their turn, <c>working</c> while some are under way, <c>done</c>.</summary>
    public string State => EndedAt is not null ? "done" : Waiting > 0 ? "sending" : "working";

    /// <summary>How much of it has been sent, from 0 to 1.</summary>
    public double Fraction => Total == 0 ? 1 : (double)(Total - Waiting) / Total;
}

/// <summary>Dead letters are being sent again already.</summary>
public sealed class ReplayRunningException(ReplayRun run)
    : Exception($"A replay has {run.Waiting} of its {run.Total} letters still to send, the last at {run.SentBy.UtcDateTime:yyyy-MM-dd HH:mm:ss} UTC. Another one can begin then.")
{
    public ReplayRun Run { get; } = run;
}
