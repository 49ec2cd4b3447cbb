using CaveComm.Domain.Payments;
using CaveComm.Providers.BtcPay;
using CaveComm.Providers.Stripe;
using Microsoft.Extensions.Logging;

namespace CaveComm.Providers;

/// <summary>The gateways that the configuration allows.</summary>
internal sealed class ConfiguredProviders : IPaymentProviders, IInvoiceLookup, IDisposable
{
    private readonly StripeGateway? stripe;
    private readonly BtcPayGateway? btcPay;

    public ConfiguredProviders(ProviderSettings settings, TimeProvider clock, ILoggerFactory logs)
    {
        stripe = settings.Stripe is { } forStripe ? new StripeGateway(forStripe, clock, logs.CreateLogger<StripeGateway>()) : null;
        btcPay = settings.BtcPay is { } forBtcPay ? new BtcPayGateway(forBtcPay, clock, logs.CreateLogger<BtcPayGateway>()) : null;
        Names = [.. new IPaymentProvider?[] { stripe, btcPay }.OfType<IPaymentProvider>().Select(provider => provider.Name)];
    }

    public IReadOnlyList<string> Names { get; }

    public IReadOnlyList<ProviderState> States => [.. new[] { stripe?.State, btcPay?.State }.OfType<ProviderState>()];

    public IPaymentProvider? Find(string name) => name switch
    {
        StripeGateway.ProviderName => stripe,
        BtcPayGateway.ProviderName => btcPay,
        _ => null,
    };

    public Task<PaymentInvoice?> FindInvoice(string paymentIntentId, CancellationToken cancel) => stripe is null
        ? throw new GatewayUnavailableException(StripeGateway.ProviderName, "Stripe is not configured.")
        : stripe.FindInvoice(paymentIntentId, cancel);

    public void Dispose()
    {
        stripe?.Dispose();
        btcPay?.Dispose();
    }
}
