using CaveComm.Domain.Delivery;
using CaveComm.Domain.Notifications;
using CaveComm.Domain.Payments;
using CaveComm.Providers.BtcPay;
using CaveComm.Providers.Files;
using CaveComm.Providers.Mail;
using CaveComm.Providers.Stripe;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Logging;

namespace CaveComm.Providers;

/// <summary>Composition of the outside parties.</summary>
public static class AddProvidersExtensions
{
    /// <summary>
    /// Adds <see cref="IPaymentProviders"/>, <see cref="IInvoiceLookup"/>, both <see cref="IWebhookReader"/>s, <see cref="IMailSender"/> and
    /// <see cref="IFileStore"/>. In Production the start fails with a list of whatever is missing; elsewhere a payment provider that is not
    /// configured is not offered, and the rest says what it lacks when it is used.
    /// </summary>
    /// <param name="configuration">Read when the first of them is needed, so that a sandbox may still add its addresses.</param>
    public static IServiceCollection AddProviders(this IServiceCollection services, IConfiguration configuration)
    {
        services.TryAddSingleton(TimeProvider.System);
        services.AddSingleton(_ => ProviderSettings.Read(configuration));
        services.AddHostedService<ProviderConfigurationCheck>();
        services.AddSingleton<ConfiguredProviders>();
        services.AddSingleton<IPaymentProviders>(found => found.GetRequiredService<ConfiguredProviders>());
        services.AddSingleton<IInvoiceLookup>(found => found.GetRequiredService<ConfiguredProviders>());
        services.AddSingleton<IWebhookReader>(found => new StripeWebhookReader(Settings(found).Stripe?.WebhookSecrets ?? []));
        services.AddSingleton<IWebhookReader>(found => new BtcPayWebhookReader(Settings(found).BtcPay?.WebhookSecrets ?? []));
        services.AddSingleton<IMailSender>(found => Settings(found).Smtp is { } smtp
            ? new SmtpMailSender(smtp, found.GetRequiredService<TimeProvider>(), found.GetRequiredService<ILogger<SmtpMailSender>>())
            : new NoMailSender());
        services.AddSingleton<IProviderStates, ProviderStates>();
        services.AddSingleton<IFileStore>(found => new FolderFileStore(
            Settings(found).Storage ?? throw new ProviderConfigurationException(["Storage:Path is missing."])));
        return services;
    }

    private static ProviderSettings Settings(IServiceProvider services) => services.GetRequiredService<ProviderSettings>();
}
