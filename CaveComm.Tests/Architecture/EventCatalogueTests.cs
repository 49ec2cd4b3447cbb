using System.Text.RegularExpressions;
using CaveComm.Api;
using CaveComm.Api.Audit;
using CaveComm.Api.Commissions;
using CaveComm.Domain;
using CaveComm.Domain.Admin;
using CaveComm.Domain.Commissions;
using CaveComm.Domain.Customers;
using CaveComm.Domain.Freelancers;
using CaveComm.Domain.Identity;
using CaveComm.Domain.Papers;
using CaveComm.Domain.Payments;
using CaveComm.Projections.Commissions;
using CaveComm.Tests.Support;
using Shouldly;

namespace CaveComm.Tests.Architecture;

/// <summary>Events are stored for ever: each is known everywhere, and is called and written the same for ever.</summary>
public class EventCatalogueTests
{
    private static readonly Dictionary<Type, string> Aliases = EventAliases.All.ToDictionary(row => row.Type, row => row.Alias);

    public static TheoryData<string> Names => [.. Aliases.Values];

    private static IEnumerable<Type> EventTypes => typeof(Money).Assembly.GetTypes().Where(type => type is { IsNestedPublic: true, IsAbstract: false, BaseType.IsAbstract: true }
        && type.BaseType == type.DeclaringType && type.BaseType.Name.EndsWith("Event", StringComparison.Ordinal));

    [Fact]
    public void Every_event_has_an_example() => Some.EveryEvent.Select(e => e.GetType()).ShouldBe(EventTypes, ignoreOrder: true);

    [Fact]
    public void Every_event_has_a_name_of_its_own_in_the_store()
    {
        EventAliases.All.Select(row => row.Type).ShouldBe(EventTypes, ignoreOrder: true);
        EventAliases.All.Select(row => row.Alias).ShouldBeUnique();
    }

    [Fact]
    public void A_name_in_the_store_says_the_kind_of_stream_and_what_happened()
    {
        foreach (var (type, alias) in EventAliases.All)
        {
            var kind = type.DeclaringType!.Name switch
            {
                nameof(CommissionEvent) => "commission",
                nameof(CustomerEvent) => "customer",
                nameof(FreelancerEvent) => "freelancer",
                nameof(SlotEvent) => "slots",
                nameof(BalanceEvent) => "balance",
                nameof(NumberEvent) => "numbers",
                nameof(PurchaseEvent) => "purchase",
                nameof(ProviderEvent) => "provider-event",
                nameof(AccountEvent) => "account",
                nameof(SignInEvent) => "sign-ins",
                nameof(InvitationEvent) => "invitation",
                nameof(SessionEvent) => "session",
                nameof(ClientEvent) => "client",
                nameof(SigningKeyEvent) => "signing-keys",
                nameof(ProjectionEvent) => "projection",
                nameof(InstallationEvent) => "installation",
                nameof(MessageEvent) => "message",
                nameof(ReplayEvent) => "replay",
                nameof(NameEvent) => type == typeof(NameEvent.HandleClaimed) ? "handle" : "username",
                var other => throw new InvalidOperationException($"No stream holds {other}."),
            };
            alias.ShouldBe($"{kind}.{Regex.Replace(type.Name, "(?<!^)([A-Z])", "-$1").ToLowerInvariant()}");
        }
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Every_event_is_written_as_it_always_was(string alias) => StoreJson.Write(Example(alias)).ShouldBe(Golden(alias));

    [Theory]
    [MemberData(nameof(Names))]
    public void What_was_written_is_read_as_the_same_event(string alias)
    {
        var example = Example(alias);
        var read = System.Text.Json.JsonSerializer.Deserialize(Golden(alias), example.GetType(), StoreJson.Options).ShouldNotBeNull();
        StoreJson.Describe(read).ShouldBe(StoreJson.Describe(example));
    }

    [Fact]
    public void Evolve_knows_every_event()
    {
        var commission = GivenCommission.State(Some.Requested, Some.Accepted, Some.Invoiced, Some.Paid, Some.Uploaded, Some.Delivered, Some.PayoutRequested);
        foreach (var happened in Some.EveryEvent)
        {
            switch (happened)
            {
                case CommissionEvent e:
                    Commission.Evolve(commission, e).ShouldNotBeNull();
                    HistoryText.Of(e).ShouldEndWith(".");
                    WhatFollows.After(Some.CommissionId, commission, e, Commission.Evolve(commission, e)).ShouldNotBeNull();
                    break;
                case FreelancerEvent e:
                    Freelancer.Evolve(Freelancer.Initial, e).ShouldNotBeNull();
                    break;
                case CustomerEvent e:
                    KnownCustomer.Evolve(KnownCustomer.Initial, e).ShouldNotBeNull();
                    break;
                case ClientEvent e:
                    Client.Evolve(Client.Initial, e).ShouldNotBeNull();
                    break;
                case SessionEvent e:
                    Session.Evolve(Session.Initial, e).ShouldNotBeNull();
                    SessionWords.Of(e).ShouldEndWith(".");
                    break;
                case AccountEvent e:
                    Account.Evolve(Account.Initial, e).ShouldNotBeNull();
                    AccountWords.Of(e).ShouldNotBeNullOrWhiteSpace();
                    break;
                case SignInEvent e:
                    AccountWords.Of(e).ShouldNotBeNullOrWhiteSpace();
                    break;
                case InvitationEvent e:
                    Invitation.Evolve(Invitation.Initial, e).ShouldNotBeNull();
                    AccountWords.Of(e).ShouldNotBeNullOrWhiteSpace();
                    break;
                case SlotEvent e:
                    Slots.Evolve(Slots.Initial, e).ShouldNotBeNull();
                    break;
            }
        }
    }

    private static object Example(string alias) => Some.EveryEvent.Single(e => Aliases[e.GetType()] == alias);

    private static string Golden(string alias)
    {
        using var stream = typeof(EventCatalogueTests).Assembly.GetManifestResourceStream($"golden/{alias}.json")
            ?? throw new InvalidOperationException($"There is no golden file {alias}.json. Write one, and never change it: the store is full of its like.");
        return new StreamReader(stream).ReadToEnd().TrimEnd('\n');
    }
}
