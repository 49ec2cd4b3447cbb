using System.Text.Json.Nodes;
using CaveComm.Api.Http;
using CaveComm.Domain;

namespace CaveComm.Api.Admin;

/// <summary>A message as administrators see it: secrets are masked.</summary>
/// <param name="About">What the work is.</param>
/// <param name="Errors">Failed attempts, oldest first; in lists only the last five.</param>
/// <param name="Advice">What to do about it; null while it is not dead.</param>
public sealed record MessageDetail(
    Guid Id,
    MessageState State,
    string Type,
    string About,
    string Queue,
    string? Group,
    JsonNode? Body,
    int Attempts,
    int Replays,
    IReadOnlyList<DeliveryError> Errors,
    string TraceId,
    DateTimeOffset SentAt,
    DateTimeOffset? DueAt,
    string? Node,
    string? Reason,
    DateTimeOffset? DiedAt,
    DateTimeOffset? DiscardedAt,
    string? DiscardReason,
    string? Advice)
{
    internal static MessageDetail Of(StoredMessage it) => new(
        it.Id, it.State, it.MessageType, MessageWords.About(it.MessageType), it.Queue, it.GroupId, MessageMask.Body(it.Body), it.Attempts, it.Replays,
        [.. it.Errors.Select(error => error with { Message = MessageMask.Text(error.Message) })],
        it.TraceId, it.SentAt, it.DueAt, it.Node, it.Reason is { } reason ? MessageMask.Text(reason) : null, it.DiedAt, it.DiscardedAt, it.DiscardReason,
        it.State == MessageState.Dead ? MessageWords.Advice(it.MessageType) : null);
}

/// <summary>How many messages there are in each state.</summary>
public sealed record MessageTotals(long Scheduled, long Due, long Running, long Retrying, long Dead, double OldestDueSeconds)
{
    internal static MessageTotals Of(MessageFigures it) => new(
        it.Of(MessageState.Scheduled), it.Of(MessageState.Due), it.Of(MessageState.Running), it.Of(MessageState.Retrying), it.Of(MessageState.Dead),
        Math.Round(it.Queues.Select(queue => queue.OldestDueAge.TotalSeconds).DefaultIfEmpty().Max(), 3));
}

/// <inheritdoc cref="Page{T}"/>
/// <param name="Counts">Over all messages, whatever the list was asked for.</param>
public sealed record MessageList(IReadOnlyList<MessageDetail> Items, string? Next, MessageTotals Counts);

/// <summary>Dead letters that are being sent again, or were.</summary>
/// <param name="State"><c>sending</c>, <c>working</c> when all are sent, <c>done</c> when none is under way.</param>
/// <param name="Waiting">Their turn has not come.</param>
/// <param name="UnderWay">Sent, and neither handled nor dead again; waiting retries included.</param>
/// <param name="SentBy">When the last one's turn is.</param>
public sealed record ReplayProgress(
    Guid Id, string State, string? Type, string? Queue, DateTimeOffset? Since, string? Error, int PerSecond, int Total, int Waiting, int UnderWay, int Handled, int DeadAgain,
    double Fraction, DateTimeOffset StartedAt, DateTimeOffset SentBy, DateTimeOffset? EndedAt)
{
    internal static ReplayProgress Of(ReplayRun it) => new(
        it.Id, it.State, it.Filter.MessageType, it.Filter.Queue, it.Filter.Since, it.Filter.Error, it.PerSecond, it.Total, it.Waiting, it.UnderWay, it.Handled, it.DeadAgain,
        Math.Round(it.Fraction, 4), it.StartedAt, it.SentBy, it.EndedAt);
}

/// <param name="Reason">Why, for the log; may be left out.</param>
public sealed record ReplayLetterBody(string? Reason) : IChecked
{
    public void Check(Faults faults) => faults.LimitText("reason", Reason, 2_000);
}

/// <param name="Reason">What was done about it, for the log and beside the letter.</param>
public sealed record DiscardBody(string? Reason) : IChecked
{
    public void Check(Faults faults) => faults.RequireText("reason", Reason, 2_000);
}

/// <summary>Which dead letters to send again; everything that is given has to fit.</summary>
/// <param name="Since">Only those that died then or later.</param>
/// <param name="Error">A part of the reason they were given up for.</param>
/// <param name="PerSecond">At most so many a second.</param>
/// <param name="Reason">Why, for the log; may be left out.</param>
public sealed record ReplayBody(string? Type, string? Queue, string? Since, string? Error, int? PerSecond, string? Reason) : IChecked
{
    public void Check(Faults faults)
    {
        faults.LimitText("type", Type, 200);
        faults.LimitText("queue", Queue, 200);
        faults.LimitText("error", Error, 500);
        faults.LimitText("reason", Reason, 2_000);
        faults.Require(string.IsNullOrWhiteSpace(Since) || Audit.AuditQuery.ParseInstant(Since) is not null, "since", "must be a time such as 2026-03-01T12:00:00Z.");
        faults.Require(PerSecond is null or (>= 1 and <= MessageDesk.MostPerSecond), "perSecond", $"must be a whole number from 1 to {MessageDesk.MostPerSecond}.");
    }
}
