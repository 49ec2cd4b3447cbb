using System.Security.Cryptography;
using System.Text;
using CaveComm.Api.Commissions;
using CaveComm.Domain;
using CaveComm.Domain.Commissions;

namespace CaveComm.Api.Customers;

/// <summary>The person behind an e-mail address, so that all commissions of one person can be found and erased together.</summary>
/// <param name="Id">SHA-256 of the address in lower case: the address itself stays in the commission.</param>
public sealed record CustomerRecord(string Id, Guid CustomerId)
{
    public static string Key(string email) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(email.ToLowerInvariant())));
}

internal static class Asking
{
    private const int MostAttempts = 10;

    /// <summary>Begins a commission for the person behind an address. Of two first requests from one address, both get one id; who was erased meanwhile gets a new one.</summary>
    /// <param name="command">What is asked, for that customer.</param>
    /// <param name="actor">Who asks; the customer when null.</param>
    /// <param name="alongside">More to write in the same transaction; a refusal stops everything.</param>
    public static async Task<Handled> Begin(
        this CommissionHandling handling,
        IDocumentStore store,
        TimeProvider clock,
        Guid id,
        string name,
        string email,
        Func<Customer, CommissionCommand> command,
        string? actor,
        Func<IDocumentSession, CancellationToken, Task<Refusal?>>? alongside,
        CancellationToken cancel)
    {
        for (var attempt = 1; ; attempt++)
        {
            await using var session = store.QuerySession();
            var known = await session.LoadAsync<CustomerRecord>(CustomerRecord.Key(email), cancel);
            var record = known ?? new CustomerRecord(CustomerRecord.Key(email), Guid.CreateVersion7(clock.GetUtcNow()));
            try
            {
                return await handling.Handle(
                    id,
                    command(new Customer(record.CustomerId, name, email)),
                    actor ?? StreamKey.Customer(record.CustomerId),
                    null,
                    (writing, token) =>
                    {
                        if (known is null)
                        {
                            writing.Insert(record);
                        }

                        return alongside is null ? Task.FromResult<Refusal?>(null) : alongside(writing, token);
                    },
                    cancel);
            }
            catch (Exception meanwhile) when (meanwhile is DocumentAlreadyExistsException or PersonalDataErasedException && attempt < MostAttempts)
            {
                // Another first request was faster, or the person was erased: the address has another id now.
            }
        }
    }
}
