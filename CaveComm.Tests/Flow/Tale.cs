namespace CaveComm.Tests.Flow;

/// <summary>A commission whose story has ended, and what must be true of it.</summary>
/// <param name="Letters">Recipient and kind of each of our mails, as in its Message-ID.</param>
/// <param name="Provider">Who took and sent the money; null when there was none.</param>
internal sealed record Tale(Guid Commission, string Handle, string CustomerEmail, string Status, IReadOnlyList<string> Letters, string? Provider);
