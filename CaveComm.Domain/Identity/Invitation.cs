using System.Diagnostics;
using static CaveComm.Domain.Identity.InvitationCommand;
using static CaveComm.Domain.Identity.InvitationEvent;
using Decision = CaveComm.Domain.Decision<CaveComm.Domain.Identity.InvitationEvent>;

namespace CaveComm.Domain.Identity;

/// <summary>Everything that can have happened to an invitation. Stored for ever: add, never edit. The address is not here.</summary>
public abstract record InvitationEvent
{
    private InvitationEvent() { }

    /// <param name="ExpiresAt">Nobody can register with it from then on.</param>
    public sealed record Invited(DateTimeOffset ExpiresAt) : InvitationEvent;

    /// <param name="Account">Who registered with it.</param>
    public sealed record InvitationAccepted(Guid Account) : InvitationEvent;

    public sealed record InvitationWithdrawn : InvitationEvent;
}

/// <summary>Everything that can be asked of an invitation.</summary>
public abstract record InvitationCommand
{
    private InvitationCommand() { }

    public sealed record Invite(DateTimeOffset ExpiresAt) : InvitationCommand;

    /// <param name="At">When somebody wants to register with it.</param>
    public sealed record Accept(Guid Account, DateTimeOffset At) : InvitationCommand;

    public sealed record Withdraw : InvitationCommand;
}

/// <summary>Lets one person register.</summary>
public sealed record Invitation : IState<Invitation, InvitationEvent>
{
    public static Invitation Initial { get; } = new();

    /// <summary>Null while there is no such invitation.</summary>
    public DateTimeOffset? ExpiresAt { get; init; }

    public Guid? AcceptedBy { get; init; }

    public bool IsWithdrawn { get; init; }

    /// <summary>Whether somebody can register with it.</summary>
    public bool IsOpen(DateTimeOffset at) => ExpiresAt > at && AcceptedBy is null && !IsWithdrawn;

    public static Invitation Evolve(Invitation it, InvitationEvent happened) => happened switch
    {
        Invited e => it with { ExpiresAt = e.ExpiresAt },
        InvitationAccepted e => it with { AcceptedBy = e.Account },
        InvitationWithdrawn => it with { IsWithdrawn = true },
        _ => throw new UnreachableException($"Evolve does not know {happened.GetType().Name}."),
    };
}

/// <summary>The rules of an invitation.</summary>
public static class InvitationDecider
{
    public static Decision Decide(Invitation it, InvitationCommand command) => command switch
    {
        Invite c => it.ExpiresAt is null ? Decision.Record(new Invited(c.ExpiresAt)) : Decision.Nothing,
        Accept c => it.IsOpen(c.At) ? Decision.Record(new InvitationAccepted(c.Account)) : NoLongerGood,
        Withdraw when it.ExpiresAt is null => Decision.Refuse(RefusalKind.Missing, "no-such-invitation", "There is no such invitation."),
        Withdraw when it.AcceptedBy is not null => Decision.Refuse(RefusalKind.Conflict, "invitation-used", "Somebody has registered with it already."),
        Withdraw => it.IsWithdrawn ? Decision.Nothing : Decision.Record(new InvitationWithdrawn()),
        _ => throw new UnreachableException($"Decide does not know {command.GetType().Name}."),
    };

    /// <summary>The same whether it never was, is used, is over or was taken back: who holds a link that is not good learns no more.</summary>
    public static Decision NoLongerGood { get; } =
        Decision.Refuse(RefusalKind.Forbidden, "invitation-needed", "This invitation is not good, or no longer. Ask for a new one.");
}
