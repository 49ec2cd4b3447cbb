namespace CaveComm.Projections.Commissions;

/// <summary>How far the freelancer has read a commission; the inbox shows what is newer as unread.</summary>
/// <param name="Id">The commission's stream key.</param>
/// <param name="Version">The stream version that was read.</param>
public sealed record ReadMark(string Id, long Version);
