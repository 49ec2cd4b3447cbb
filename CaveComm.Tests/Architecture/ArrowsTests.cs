using System.Reflection;
using System.Runtime.CompilerServices;
using CaveComm.Domain;
using CaveComm.EventStore;
using CaveComm.Messaging;
using CaveComm.Projections.Commissions;
using CaveComm.Sandbox.Storage;
using Shouldly;

namespace CaveComm.Tests.Architecture;

/// <summary>Who knows whom. Arrows only run from the edge inwards.</summary>
public class ArrowsTests
{
    private static readonly Assembly Domain = typeof(Money).Assembly;
    private static readonly Assembly EventStore = typeof(IEvent).Assembly;
    private static readonly Assembly Messaging = typeof(IMessageBus).Assembly;
    private static readonly Assembly Projections = typeof(InboxItem).Assembly;
    private static readonly Assembly Sandbox = typeof(SandboxStore).Assembly;
    private static readonly Assembly Providers = Assembly.Load("CaveComm.Providers");
    private static readonly Assembly Api = typeof(CaveComm.Api.Links).Assembly;

    [Fact]
    public void Domain_knows_nobody() => Domain.GetReferencedAssemblies().ShouldAllBe(name => name.Name!.StartsWith("System.", StringComparison.Ordinal));

    [Fact]
    public void Domain_reads_no_clock_and_makes_no_ids_or_chance()
    {
        string[] forbidden =
        [
            "System.DateTime.get_UtcNow", "System.DateTime.get_Now", "System.DateTimeOffset.get_UtcNow", "System.DateTimeOffset.get_Now",
            "System.Guid.NewGuid", "System.Guid.CreateVersion7", "System.Random..ctor", "System.Random.get_Shared", "System.TimeProvider.get_System",
        ];
        CalledMembers.Of(Domain).Intersect(forbidden).ShouldBeEmpty();
    }

    [Fact]
    public void The_event_store_knows_no_other_project() => Ours(EventStore).ShouldBeEmpty();

    [Fact]
    public void Messaging_knows_the_event_store_only() => Ours(Messaging).Except(["CaveComm.EventStore"]).ShouldBeEmpty();

    [Fact]
    public void Event_store_and_messaging_do_not_speak_of_commissions()
    {
        string[] words = ["Commission", "Freelancer", "Invoice", "Payout", "Customer", "Stripe", "BtcPay"];
        foreach (var type in EventStore.GetTypes().Concat(Messaging.GetTypes()))
        {
            var names = type.GetMembers(BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Static | BindingFlags.Instance | BindingFlags.DeclaredOnly)
                .Select(member => member.Name).Prepend(type.Name);
            names.Where(name => words.Any(word => name.Contains(word, StringComparison.OrdinalIgnoreCase))).ShouldBeEmpty(type.FullName);
        }
    }

    [Fact]
    public void Projections_know_domain_and_event_store_only() => Ours(Projections).Except(["CaveComm.Domain", "CaveComm.EventStore"]).ShouldBeEmpty();

    [Fact]
    public void Providers_know_domain_only() => Ours(Providers).Except(["CaveComm.Domain"]).ShouldBeEmpty();

    [Fact]
    public void The_sandbox_knows_no_other_project() => Ours(Sandbox).ShouldBeEmpty();

    [Fact]
    public void Nobody_knows_the_api()
    {
        foreach (var assembly in new[] { Domain, EventStore, Messaging, Projections, Providers, Sandbox })
        {
            Ours(assembly).ShouldNotContain(Api.GetName().Name);
        }
    }

    [Fact]
    public void Every_type_stands_in_the_namespace_of_its_project()
    {
        foreach (var assembly in new[] { Domain, EventStore, Messaging, Projections, Providers, Sandbox, Api })
        {
            var project = assembly.GetName().Name!;
            assembly.GetTypes()
                .Where(type => !IsMadeByTheCompiler(type))
                .Where(type => type.Namespace != project && type.Namespace?.StartsWith(project + ".", StringComparison.Ordinal) != true)
                .ShouldBeEmpty(project);
        }
    }

    private static IEnumerable<string> Ours(Assembly assembly) =>
        assembly.GetReferencedAssemblies().Select(name => name.Name!).Where(name => name.StartsWith("CaveComm.", StringComparison.Ordinal));

    private static bool IsMadeByTheCompiler(Type type) =>
        type.Name.Contains('<', StringComparison.Ordinal) || type is { Name: "Program", Namespace: null }
        || (type.Namespace is { } space && (space.StartsWith("System.", StringComparison.Ordinal) || space.StartsWith("Microsoft.", StringComparison.Ordinal)))
        || type.IsDefined(typeof(CompilerGeneratedAttribute)) || (type.DeclaringType is { } outer && IsMadeByTheCompiler(outer));
}
