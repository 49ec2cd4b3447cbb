namespace CaveComm.Api.Admin;

/// <summary>What the page of messages shows.</summary>
/// <param name="Alarms">Shown first, each with what to do.</param>
/// <param name="Items">The others.</param>
/// <param name="DeadByType">What a replay by filter can be asked for.</param>
/// <param name="LastReplay">Null when there never was one.</param>
public sealed record MessagesPageModel(
    IReadOnlyList<MessageDetail> Alarms, IReadOnlyList<MessageDetail> Items, string? Next, MessageTotals Counts, MessageFilter Filter,
    IReadOnlyDictionary<string, long> DeadByType, ReplayProgress? LastReplay)
{
    public bool IsFiltered => Filter is not { State: null, MessageType: null, Queue: null, GroupId: null };
}
