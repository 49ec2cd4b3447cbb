using CaveComm.Domain.Notifications;
using CaveComm.Providers.Mail;

namespace CaveComm.Providers;

/// <summary>How this node gets on with an outside party.</summary>
/// <param name="Provider"><c>stripe</c>, <c>btcpay</c> or <c>smtp</c>.</param>
/// <param name="Circuit"><c>closed</c> when calls are made; <c>open</c> while it is left alone; <c>trial</c> when one call may find out.</param>
/// <param name="UnderWay">Calls that are being made now.</param>
public sealed record ProviderState(string Provider, string Circuit, int UnderWay);

/// <summary>For whoever operates this.</summary>
public interface IProviderStates
{
    IReadOnlyList<ProviderState> States { get; }
}

internal sealed class ProviderStates(ConfiguredProviders providers, IMailSender mails) : IProviderStates
{
    public IReadOnlyList<ProviderState> States => [.. providers.States, .. mails is SmtpMailSender smtp ? [smtp.State] : Array.Empty<ProviderState>()];
}
