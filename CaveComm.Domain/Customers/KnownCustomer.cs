using System.Diagnostics;

namespace CaveComm.Domain.Customers;

/// <summary>What can have happened to a customer, beside what happened in the commissions.</summary>
public abstract record CustomerEvent
{
    private CustomerEvent() { }

    /// <summary>Name, address and answers of this person, and what providers told of them, can no longer be read by anybody.</summary>
    /// <param name="Reason">Why, in the words of who did it; it shall not name the person.</param>
    public sealed record Erased(string? Reason) : CustomerEvent;
}

/// <summary>A person behind an address.</summary>
public sealed record KnownCustomer : IState<KnownCustomer, CustomerEvent>
{
    public static KnownCustomer Initial { get; } = new();

    public bool IsErased { get; init; }

    /// <summary>Records the erasure, once.</summary>
    public Decision<CustomerEvent> Erase(string? reason) => IsErased ? Decision<CustomerEvent>.Nothing : Decision<CustomerEvent>.Record(new CustomerEvent.Erased(reason));

    public static KnownCustomer Evolve(KnownCustomer it, CustomerEvent happened) => happened switch
    {
        CustomerEvent.Erased => it with { IsErased = true },
        _ => throw new UnreachableException($"Evolve does not know {happened.GetType().Name}."),
    };
}
