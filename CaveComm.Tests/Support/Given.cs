using CaveComm.Domain;
using CaveComm.Domain.Commissions;
using CaveComm.Domain.Freelancers;
using Shouldly;

namespace CaveComm.Tests.Support;

/// <summary>What happened so far to one stream, ready to be asked something.</summary>
internal sealed record Given<TState, TEvent, TCommand>(TState State, Func<TState, TCommand, Decision<TEvent>> Decide)
{
    public Outcome<TEvent> When(TCommand command) => new(Decide(State, command));
}

/// <summary>What a decider answered.</summary>
internal sealed record Outcome<TEvent>(Decision<TEvent> Decision)
{
    public void Then(params TEvent[] events)
    {
        Decision.Refusal.ShouldBeNull();
        Decision.Events.Select(e => StoreJson.Describe(e!)).ShouldBe(events.Select(e => StoreJson.Describe(e!)));
    }

    public void ThenNothing()
    {
        Decision.Refusal.ShouldBeNull();
        Decision.Events.ShouldBeEmpty();
    }

    public Refusal ThenRefused(string code)
    {
        Decision.Events.ShouldBeEmpty();
        var refusal = Decision.Refusal.ShouldNotBeNull();
        refusal.Code.ShouldBe(code);
        refusal.Detail.ShouldEndWith(refusal.Fields is { Count: > 1 } ? "" : ".");
        return refusal;
    }

    public void ThenRefused(RefusalKind kind, string code) => ThenRefused(code).Kind.ShouldBe(kind);
}

internal static class GivenCommission
{
    public static Given<Commission, CommissionEvent, CommissionCommand> Given(params CommissionEvent[] happened) => new(State(happened), CommissionDecider.Decide);

    public static Commission State(params IEnumerable<CommissionEvent> happened) => happened.Aggregate(Commission.Initial, Commission.Evolve);
}

internal static class GivenFreelancer
{
    public static Given<Freelancer, FreelancerEvent, FreelancerCommand> Given(params FreelancerEvent[] happened) => new(State(happened), FreelancerDecider.Decide);

    public static Freelancer State(params IEnumerable<FreelancerEvent> happened) => happened.Aggregate(Freelancer.Initial, Freelancer.Evolve);
}
