namespace CaveComm.Domain.Payments;

/// <summary>Addresses that a wallet pays to, without the provider's page. A gateway whose invoices have them implements it.</summary>
public interface IWalletLinks
{
    /// <summary>Such as <c>bitcoin:bc1q…?amount=0.00071234</c>, good as long as the invoice is open.</summary>
    /// <returns>Null when the invoice has none, or is not there.</returns>
    Task<string?> FindWalletLink(string invoiceId, CancellationToken cancel);
}
