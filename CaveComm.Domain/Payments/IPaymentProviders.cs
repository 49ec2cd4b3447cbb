namespace CaveComm.Domain.Payments;

/// <summary>The payment providers that this installation is configured for.</summary>
public interface IPaymentProviders
{
    /// <summary>What a freelancer may offer; empty when none is configured.</summary>
    IReadOnlyList<string> Names { get; }

    /// <returns>Null when there is no such provider, or when it is not configured.</returns>
    IPaymentProvider? Find(string name);
}

public static class PaymentProvidersExtensions
{
    /// <summary>The provider that a commission already depends on.</summary>
    /// <exception cref="GatewayUnavailableException">It is not configured (any more): the work waits until it is.</exception>
    public static IPaymentProvider Get(this IPaymentProviders providers, string name) =>
        providers.Find(name) ?? throw new GatewayUnavailableException(name, "not configured in this installation.");
}
