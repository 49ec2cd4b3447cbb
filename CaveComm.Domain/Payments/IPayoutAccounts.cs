namespace CaveComm.Domain.Payments;

/// <summary>Accounts that a provider makes for freelancers, so that they can be paid out to. A gateway that can do so implements it.</summary>
/// <remarks>The provider asks the freelancer for name and bank on pages of its own; nothing of that passes through here.</remarks>
public interface IPayoutAccounts
{
    /// <summary>Makes an account, or finds the one that an earlier call of the same order made within a day.</summary>
    /// <exception cref="GatewayRefusedException">The provider will not, such as for a country that it does not serve.</exception>
    Task<string> OpenAccount(PayoutAccountOrder order, CancellationToken cancel);

    /// <summary>A page at the provider where the freelancer says who they are. It works once, and for minutes: make one for each click, and mail none.</summary>
    /// <param name="account">What <see cref="OpenAccount"/> gave.</param>
    /// <param name="returnUrl">Where the freelancer is sent afterwards, done or not.</param>
    /// <param name="refreshUrl">Where the freelancer is sent when the link no longer works.</param>
    /// <exception cref="GatewayRefusedException">There is no such account.</exception>
    Task<PayoutAccountLink> LinkTo(string account, Uri returnUrl, Uri refreshUrl, CancellationToken cancel);

    /// <summary>The account as the provider sees it now; null when there is no such account.</summary>
    Task<PayoutAccountSnapshot?> FetchAccount(string account, CancellationToken cancel);
}

/// <param name="Freelancer">The handle; recorded at the provider, so that its news find their freelancer.</param>
/// <param name="Country">ISO 3166, two capitals; null for the country of this installation's own account.</param>
public sealed record PayoutAccountOrder(string Freelancer, string Email, string? Country);

public sealed record PayoutAccountLink(Uri Url, DateTimeOffset? ExpiresAt);

/// <param name="Freelancer">As recorded when it was made; null for one that was made elsewhere.</param>
/// <param name="IsReady">Money can be sent to it, and from there to the bank.</param>
/// <param name="Reason">The provider's word for why not.</param>
public sealed record PayoutAccountSnapshot(string Account, string? Freelancer, bool IsReady, string? Reason);
