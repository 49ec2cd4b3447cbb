using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;

namespace CaveComm.Messaging;

public static class MessagingServices
{
    /// <summary>
    /// Messages with their handlers. The host then runs them; in a process whose host is never started (a command line), publishing works and others run
    /// what was published. <see cref="IMessageBus"/> and <see cref="IOutbox"/> are one object per scope; <see cref="IMessageStore"/> is for admins and tests.
    /// </summary>
    public static IServiceCollection AddMessaging(this IServiceCollection services, Action<MessagingOptions> configure)
    {
        var options = new MessagingOptions();
        configure(options);
        services.TryAddSingleton(TimeProvider.System);
        services.AddSingleton(options);
        services.AddSingleton(provider => MessageCatalog.Build(options, provider.GetRequiredService<IServiceProviderIsService>()));
        services.AddSingleton<MessageFactory>();
        services.AddSingleton<MessagingNode>();
        services.AddSingleton<MessageReading>(provider => new MessageReading(provider.GetRequiredService<MessagingNode>().Database, provider.GetRequiredService<TimeProvider>()));
        services.AddSingleton<MessageReplays>();
        services.AddSingleton<MessageGauges>();
        services.AddHostedService<ReplayPacing>();
        services.AddSingleton<IHostedService>(provider => provider.GetRequiredService<MessagingNode>());
        services.AddHostedService(provider => provider.GetRequiredService<MessageGauges>());
        services.AddSingleton<IMessageStore, MessageStore>();
        services.AddScoped<MessageContext>();
        services.AddScoped<IOutbox>(provider => provider.GetRequiredService<MessageContext>());
        services.AddScoped<IMessageBus>(provider => provider.GetRequiredService<MessageContext>());
        return services;
    }
}
