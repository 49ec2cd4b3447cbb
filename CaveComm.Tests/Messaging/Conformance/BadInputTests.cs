using System.Reflection;
using System.Reflection.Metadata;
using System.Reflection.Metadata.Ecma335;
using System.Reflection.PortableExecutable;
using CaveComm.Messaging;
using CaveComm.Tests.Support;
using Microsoft.Extensions.DependencyInjection;
using Shouldly;

namespace CaveComm.Tests.Messaging.Conformance;

/// <summary>What does not fit is refused where a person sees it: at the start, or among the dead letters.</summary>
public class BadInputTests
{
    private static readonly MethodInfo[] Senders =
    [
        .. typeof(IMessageBus).GetMethods().Where(method => method.Name == "PublishAsync"),
        .. typeof(MessageExtensions).GetMethods().Where(method => method.IsGenericMethod),
        .. typeof(OutgoingMessages).GetMethods().Where(method => method.IsGenericMethod && method.DeclaringType == typeof(OutgoingMessages)),
    ];

    public sealed record Forgotten(string Group) : IBelongTo;

    [MessageAlias("kept-under-a-name")]
    public sealed record NamedButForgotten(int Number);

    public static class GenericMethod
    {
        public static void Handle<T>(T message) => Console.Write(message);
    }

    public static class TakesByReference
    {
        public static void Handle(Spread spread, ref Envelope envelope) => envelope = envelope with { Attempt = spread.Text.Length };
    }

    [Fact]
    public void A_message_type_without_a_handler_fails_the_start_and_is_named()
    {
        // By its own route or group, by an interface that has one, or by its stored name.
        Faults(options => options.RouteTo<Forgotten>(MessagingOptions.DefaultQueue)).ShouldContain(NoHandlerFor<Forgotten>());
        Faults(options => options.MessagePartitioning.ByMessage<Forgotten>(message => message.Group)).ShouldContain(NoHandlerFor<Forgotten>());
        var faults = Faults(options =>
        {
            options.IncludeAssembly(typeof(BadInputTests).Assembly);
            options.MessagePartitioning.ByMessage<IBelongTo>(message => message.Group);
        });
        faults.ShouldContain(NoHandlerFor<Forgotten>());
        faults.ShouldContain(NoHandlerFor<NamedButForgotten>());
        faults.ShouldNotContain(NoHandlerFor<Step>());
        faults.ShouldNotContain(NoHandlerFor<CallProvider>());

        static string NoHandlerFor<T>() => $"{typeof(T).FullName} is declared as a message, but has no handler.";
    }

    [Fact]
    public void A_handler_that_cannot_be_bound_fails_the_start_with_every_fault_named()
    {
        var faults = Faults(options =>
        {
            options.IncludeHandler(typeof(GenericMethod));
            options.IncludeHandler(typeof(TakesByReference));
        });

        faults.ShouldContain(fault => fault.Contains($"{typeof(GenericMethod).FullName}.Handle is generic", StringComparison.Ordinal));
        faults.ShouldContain(fault => fault.Contains($"{typeof(TakesByReference).FullName}.Handle", StringComparison.Ordinal) && fault.Contains("'envelope' is passed by reference", StringComparison.Ordinal));
    }

    [Fact]
    public void Each_message_that_CaveComm_sends_has_a_handler()
    {
        // The bus takes any type: here all its calls are read from the code, and nobody has to come by them at run time.
        var assembly = typeof(CaveComm.Api.Composition.KernelBackend).Assembly;
        var handled = HandlerScan.Find(Including(assembly), []).Select(method => method.GetParameters()[0].ParameterType).ToHashSet();
        var sent = SentBy(assembly.ManifestModule).ToHashSet();

        sent.ShouldNotBeEmpty();
        sent.Where(type => type is { IsInterface: false, IsAbstract: false } && type != typeof(object) && !handled.Contains(type)).ShouldBeEmpty();
    }

    [Theory]
    [InlineData("null")]
    [InlineData("[]")]
    [InlineData("\"text\"")]
    [InlineData("{\"group\": \"group\", \"number\": \"many\"}")]
    [InlineData("{\"group\": \"group\", \"number\": 99999999999999999999}")]
    public async Task A_body_that_no_longer_deserialises_is_a_dead_letter_with_the_reason_and_its_group_goes_on(string body)
    {
        await using var world = await MessagingWorld.Create();
        var publisher = world.Node();
        await (await world.StartNode()).Stop(); // The tables are there.
        await publisher.Publish(new Step("group", 1));
        await publisher.Publish(new Step("group", 2));
        await world.Database.Execute($"update cavecomm_messages set body = '{body}' where body ->> 'number' = '1'");

        var node = await world.StartNode();
        await Eventually.Holds("nothing is left", async () => await world.Stored() == 0);

        (await world.BookedIn("group")).ShouldBe([2]);
        var letter = (await node.Messages.ListDeadLetters(10, null, CancellationToken.None)).ShouldHaveSingleItem();
        letter.Reason.ShouldStartWith("The body cannot be read: ");
        letter.Reason.Length.ShouldBeGreaterThan("The body cannot be read: ".Length);
        letter.Body.ShouldBe(body);
        letter.Attempts.ShouldBe(1);

        // A later version of the code, or a hand, mends it: sent again it runs.
        await world.Database.Execute("""update cavecomm_dead_letters set body = '{"group": "group", "number": 1}'""");
        (await node.Messages.Replay(letter.Id, CancellationToken.None)).ShouldBeTrue();
        await Eventually.Holds("it runs", async () => (await world.BookedIn("group")).Length == 2);
    }

    // Every call of a generic method has an entry in the module's table of method instances.
    private static IEnumerable<Type> SentBy(Module module)
    {
        const int MethodSpecifications = 0x2B000000;
        using var file = new PEReader(File.OpenRead(module.Assembly.Location));
        var count = file.GetMetadataReader().GetTableRowCount(TableIndex.MethodSpec);
        for (var row = 1; row <= count; row++)
        {
            MethodBase? called;
            try
            {
                called = module.ResolveMethod(MethodSpecifications + row);
            }
            catch (ArgumentException)
            {
                continue; // Inside of a generic method or type; its own type parameters are no message.
            }

            if (called is MethodInfo { IsGenericMethod: true } method
                && Senders.Any(sender => sender.MetadataToken == method.MetadataToken && sender.Module == method.Module))
            {
                yield return method.GetGenericArguments()[0];
            }
        }
    }

    private static MessagingOptions Including(Assembly assembly)
    {
        var options = new MessagingOptions();
        options.IncludeAssembly(assembly);
        return options;
    }

    private static IReadOnlyList<string> Faults(Action<MessagingOptions> configure)
    {
        var services = new ServiceCollection();
        services.AddSingleton(new Journal());
        services.AddMessaging(options =>
        {
            options.Connection("Host=nowhere");
            configure(options);
        });
        using var provider = services.BuildServiceProvider();
        return Should.Throw<MessagingConfigurationException>(() => provider.GetRequiredService<MessageCatalog>()).Faults;
    }
}
