using CaveComm.Messaging;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Shouldly;

namespace CaveComm.Tests.Messaging;

/// <summary>What does not fit together does not start, and says why.</summary>
public class StartTests
{
    public sealed record Orphan(int Number);

    public static class NeedsUnknownService
    {
        public static void Handle(Ping ping, HttpMessageInvoker unheardOf) => unheardOf.Dispose();
    }

    public static class TakesNoMessage
    {
        public static void Handle(string text) => Console.Write(text);
    }

    public static class SendsWhatNobodyHandles
    {
        public static Task<Orphan?> Handle(Confirm confirm) => Task.FromResult<Orphan?>(null);
    }

    public static class HandlesThePingToo
    {
        public static void Handle(Ping ping) { }
    }

    public static class ReturnsNoMessage
    {
        public static int Handle(Step step) => step.Number;
    }

    public static class HasNoMethod;

    [Fact]
    public void Every_fault_is_told_at_once_with_class_and_parameter()
    {
        var faults = Should.Throw<MessagingConfigurationException>(() => Build(options =>
        {
            options.IncludeHandler(typeof(PingHandler));
            options.IncludeHandler(typeof(NeedsUnknownService));
            options.IncludeHandler(typeof(TakesNoMessage));
            options.IncludeHandler(typeof(SendsWhatNobodyHandles));
            options.IncludeHandler(typeof(HandlesThePingToo));
            options.IncludeHandler(typeof(ReturnsNoMessage));
            options.IncludeHandler(typeof(HasNoMethod));
            options.IncludeHandler(typeof(CallProviderHandler));
            options.RouteTo<CallProvider>("nowhere");
        })).Faults;

        faults.ShouldContain(fault => fault.Contains("NeedsUnknownService") && fault.Contains("'unheardOf'"));
        faults.ShouldContain(fault => fault.Contains("TakesNoMessage"));
        faults.ShouldContain(fault => fault.Contains("SendsWhatNobodyHandles") && fault.Contains("Orphan") && fault.Contains("no handler"));
        faults.ShouldContain(fault => fault.Contains("two handlers") && fault.Contains("HandlesThePingToo"));
        faults.ShouldContain(fault => fault.Contains("ReturnsNoMessage"));
        faults.ShouldContain(fault => fault.Contains("HasNoMethod"));
        faults.ShouldContain(fault => fault.Contains("'nowhere'"));
    }

    [Fact]
    public void A_handler_with_a_session_needs_a_store() =>
        Should.Throw<MessagingConfigurationException>(() => Build(options =>
        {
            options.IncludeHandler(typeof(BookHandler));
            options.IncludeHandler(typeof(ConfirmHandler));
        })).Message.ShouldContain("IDocumentStore");

    [Fact]
    public async Task The_host_does_not_start_with_a_fault()
    {
        var host = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings());
        host.Services.AddMessaging(options => options.IncludeHandler(typeof(NeedsUnknownService)));
        using var built = host.Build();
        await Should.ThrowAsync<MessagingConfigurationException>(() => built.StartAsync());
    }

    [Fact]
    public void An_assemblys_handlers_are_found()
    {
        var options = new MessagingOptions();
        options.IncludeAssembly(typeof(PingHandler).Assembly);
        var faults = new List<string>();
        var found = HandlerScan.Find(options, faults).Select(method => method.DeclaringType);
        found.ShouldContain(typeof(PingHandler));
        found.ShouldContain(typeof(StepHandler));
        found.ShouldNotContain(typeof(HandlesThePingToo)); // Its name does not end with Handler.
    }

    [Theory]
    [InlineData(typeof(Ping), "ping")]
    [InlineData(typeof(CallProvider), "call-slow-provider")]
    [InlineData(typeof(DeliveryOptions), "delivery-options")]
    [InlineData(typeof(BTCPayNews), "btc-pay-news")]
    public void A_message_is_stored_under_its_name_in_kebab_case_or_its_alias(Type type, string alias) => MessageCatalog.AliasOf(type).ShouldBe(alias);

    [Fact]
    public async Task Several_nodes_start_on_an_empty_database_at_once()
    {
        await using var world = await MessagingWorld.Create();
        var nodes = await Task.WhenAll(Enumerable.Range(0, 6).Select(_ => world.StartNode()));
        await Task.WhenAll(nodes.Select(node => node.Publish(new Ping("hello"))));
        await nodes[0].Messages.WaitForIdle(MessagingWorld.Patience);
        world.Journal.Seen<Ping>().Count().ShouldBe(6);
    }

    private static MessageCatalog Build(Action<MessagingOptions> configure)
    {
        var services = new ServiceCollection();
        services.AddSingleton(new Journal());
        services.AddMessaging(options =>
        {
            options.Connection("Host=nowhere");
            configure(options);
        });
        using var provider = services.BuildServiceProvider();
        return provider.GetRequiredService<MessageCatalog>();
    }

    private sealed record BTCPayNews;
}
