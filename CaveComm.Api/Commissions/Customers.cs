using System.Security.Cryptography;
using System.Text;

namespace CaveComm.Api.Commissions;

/// <summary>The person behind an e-mail address, so that all commissions of one person can be found and, one day, erased together.</summary>
/// <param name="Id">SHA-256 of the address in lower case: the address itself stays in the commission.</param>
public sealed record CustomerRecord(string Id, Guid CustomerId);

internal static class Customers
{
    public static async Task<CustomerRecord> Find(IQuerySession session, string email, TimeProvider clock, CancellationToken cancel)
    {
        var id = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(email.ToLowerInvariant())));
        return await session.LoadAsync<CustomerRecord>(id, cancel) ?? new CustomerRecord(id, Guid.CreateVersion7(clock.GetUtcNow()));
    }
}
