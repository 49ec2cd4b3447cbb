using System.Reflection;
using System.Xml.Linq;
using CaveComm.Api;
using CaveComm.EventStore;
using CaveComm.Messaging;
using CaveComm.Projections.Commissions;
using Shouldly;

namespace CaveComm.Tests.Architecture;

/// <summary>Each name of the kernels that the product speaks must mean something in the build on Marten, whose packages are not at hand.</summary>
public class MartenNamesTests
{
    private static readonly Assembly[] Kernels = [typeof(IEvent).Assembly, typeof(IMessageBus).Assembly];
    private static readonly Assembly Api = typeof(Links).Assembly;

    /// <summary>The originals have them in the namespaces that Backend.props imports whole, or nobody says their names, or Composition/Marten has its own.</summary>
    private static readonly string[] Both =
    [
        "DeliveryMessage`1", "DeliveryOptions", "IEvent", "IEvent`1", "IEventStream`1", "IMessageBus", "MultiStreamProjection`2", "OutgoingMessages", "SingleStreamProjection`2", "StreamState",
        "DocumentExpression`1", "DocumentOptions", "EventOptions", "IEventStoreOperations", "IQueryEventStore", "ProjectionBase", "ProjectionOptions", "StreamAction",
        "IOutbox", "IPersonalData",
    ];

    /// <summary>Named by KernelBackend, MessagePolicies and Composition/Kernel alone, which that build leaves out.</summary>
    private static readonly string[] KernelOnly =
    [
        "DocumentStore", "EventStoreRegistration", "FailureAction", "ISessionTransaction", "ITransactionOwner", "ITransactionParticipant",
        "MessagePartitioning", "MessagingOptions", "MessagingServices", "QueueOptions",
    ];

    [Fact]
    public void Every_name_of_the_kernels_that_the_product_uses_is_known_on_Marten()
    {
        var used = CalledMembers.TypesOf(Api).Concat(CalledMembers.TypesOf(typeof(InboxItem).Assembly))
            .Where(it => Kernels.Any(kernel => it.Assembly == kernel.GetName().Name)).Select(it => it.Name).Distinct().ToList();
        used.Count.ShouldBeGreaterThan(40);
        used.Except(Aliases()).Except(Both).Except(KernelOnly).ShouldBeEmpty("Give it an alias in Backend.props.");
    }

    [Fact]
    public void What_only_the_kernels_have_is_named_in_composition_alone()
    {
        const BindingFlags all = BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Static | BindingFlags.Instance | BindingFlags.DeclaredOnly;
        var elsewhere = Api.GetTypes().Where(it => it.Namespace != "CaveComm.Api.Composition").ToList();
        var named = elsewhere.SelectMany(type => type.GetFields(all).Select(it => it.FieldType)
            .Concat(type.GetMethods(all).Select(it => it.ReturnType))
            .Concat(type.GetMethods(all).Concat<MethodBase>(type.GetConstructors(all)).SelectMany(it => it.GetParameters()).Select(it => it.ParameterType))
            .Concat(type.GetInterfaces()));
        named.Where(it => Kernels.Contains(it.Assembly)).Select(it => it.Name).Intersect(KernelOnly).ShouldBeEmpty();
    }

    [Fact]
    public void States_are_added_by_type() =>
        // Marten makes a document of the state of an instance that is added, and a document must have an Id.
        CalledMembers.Of(Api).ShouldNotContain("CaveComm.Projections.DeciderProjection`2..ctor");

    private static IEnumerable<string> Aliases()
    {
        using var props = typeof(MartenNamesTests).Assembly.GetManifestResourceStream("Backend.props")!;
        return [.. XDocument.Load(props).Descendants("Using").Attributes("Alias").Select(it => it.Value)];
    }
}
