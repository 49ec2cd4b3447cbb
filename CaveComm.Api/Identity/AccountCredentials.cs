using System.Security.Cryptography;
using System.Text;
using CaveComm.Api.OwnAccount;
using CaveComm.Domain.Identity;
using CaveComm.Projections;

namespace CaveComm.Api.Identity;

/// <summary>What proves who somebody is. A document and not an event: a secret that was changed has to be gone.</summary>
/// <param name="Id">The account's id.</param>
/// <param name="PasswordHash">ASP.NET Core Identity's format, which names its own algorithm and cost.</param>
public sealed record AccountCredentials(string Id, string PasswordHash);

/// <summary>A name that somebody signs in with: the username, and the e-mail address.</summary>
/// <param name="Id">Digest of the name, see <see cref="Of"/>.</param>
public sealed record SignInName(string Id, Guid Account)
{
    /// <summary>Names differ by more than case and surrounding space.</summary>
    public static string Of(string name) =>
        Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(name.Trim().Normalize().ToLowerInvariant())));
}

/// <summary>What identity keeps in the store.</summary>
public static class IdentityStorage
{
    public static void Configure(StoreOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        options.Projections.Add<DeciderProjection<Account, AccountEvent>>(ProjectionLifecycle.Live);
        options.Projections.Add<DeciderProjection<Invitation, InvitationEvent>>(ProjectionLifecycle.Live);
        options.Projections.Add<DeciderProjection<Session, SessionEvent>>(ProjectionLifecycle.Live);
        options.Schema.For<AccountCredentials>();
        options.Schema.For<SessionRecord>().Duplicate(it => it.Account).Duplicate(it => it.EndsAt);
        options.Schema.For<SessionSeen>();
        options.Projections.Add<DeciderProjection<Client, ClientEvent>>(ProjectionLifecycle.Live);
        options.Schema.For<OAuth.ClientRecord>();
        options.Schema.For<SignInName>();
        options.Schema.For<SecondFactor>();
        options.Schema.For<UsedCode>();
        options.Schema.For<InvitationRecord>();
    }
}
