namespace CaveComm.Api.Customers;

/// <summary>A customer's key is destroyed; what views still show is to be forgotten, too.</summary>
public sealed record SpreadErasure(Guid Customer, string? Reason, string Actor);

public static class SpreadErasureHandler
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(10);

    /// <returns>The same message, for later, when a view is behind or paused.</returns>
    public static async Task<OutgoingMessages> Handle(SpreadErasure told, CustomerErasure erasure, CancellationToken cancel)
    {
        var messages = new OutgoingMessages();
        if (!await erasure.Spread(told.Customer, told.Reason, told.Actor, Patience, cancel))
        {
            messages.Delay(told, Pause);
        }

        return messages;
    }
}
