using CaveComm.Domain;
using CaveComm.Domain.Payments;

namespace CaveComm.Api.Ledger;

/// <summary>The ledger in sums.</summary>
/// <param name="Balanced">Every set that was summed here sums to zero in each currency.</param>
/// <param name="Accounts">Over all freelancers that were asked for, by account and currency.</param>
/// <param name="Freelancers">The same for each freelancer.</param>
public sealed record LedgerModel(bool Balanced, long Sets, IReadOnlyList<LedgerSum> Accounts, IReadOnlyList<FreelancerLedger> Freelancers);

public sealed record FreelancerLedger(string Freelancer, IReadOnlyList<LedgerSum> Accounts);

/// <param name="Balance">Debit less credit.</param>
public sealed record LedgerSum(LedgerAccount Account, Money Debit, Money Credit, Money Balance);

/// <summary>What one event moved.</summary>
/// <param name="Set">The event's place in the log.</param>
/// <param name="Event">The event's stored name.</param>
public sealed record LedgerLine(long Set, DateTimeOffset At, Guid RequestId, string Freelancer, string Event, IReadOnlyList<LedgerEntry> Entries);
