using CaveComm.Domain;
using CaveComm.Domain.Identity;
using CaveComm.Tests.Support;
using Shouldly;
using static CaveComm.Domain.Identity.InvitationCommand;
using static CaveComm.Domain.Identity.InvitationEvent;

namespace CaveComm.Tests.Identity;

public sealed class InvitationDeciderTests
{
    private static readonly Invited Sent = new(Some.Noon.AddDays(7));
    private static readonly Accept Accepting = new(Some.CommissionId, Some.Noon);
    private static readonly InvitationAccepted Accepted = new(Some.CommissionId);

    [Fact]
    public void An_invitation_is_made_once()
    {
        Decide([], new Invite(Sent.ExpiresAt)).Events.ShouldBe([Sent]);
        Decide([Sent], new Invite(Sent.ExpiresAt.AddDays(1))).ShouldBe(Decision<InvitationEvent>.Nothing);
    }

    [Fact]
    public void An_open_invitation_is_accepted_and_no_other_and_all_others_are_told_alike()
    {
        Decide([Sent], Accepting).Events.ShouldBe([Accepted]);
        Decide([], Accepting).ShouldBe(InvitationDecider.NoLongerGood);
        Decide([Sent, Accepted], Accepting).ShouldBe(InvitationDecider.NoLongerGood);
        Decide([Sent, new InvitationWithdrawn()], Accepting).ShouldBe(InvitationDecider.NoLongerGood);
        Decide([Sent], Accepting with { At = Sent.ExpiresAt }).ShouldBe(InvitationDecider.NoLongerGood);
    }

    [Fact]
    public void An_invitation_is_withdrawn_once_and_not_after_it_was_used()
    {
        Decide([Sent], new Withdraw()).Events.ShouldBe([new InvitationWithdrawn()]);
        Decide([Sent, new InvitationWithdrawn()], new Withdraw()).ShouldBe(Decision<InvitationEvent>.Nothing);
        Decide([Sent, Accepted], new Withdraw()).Refusal!.Code.ShouldBe("invitation-used");
        Decide([], new Withdraw()).Refusal!.Kind.ShouldBe(RefusalKind.Missing);
    }

    private static Decision<InvitationEvent> Decide(InvitationEvent[] past, InvitationCommand command) =>
        InvitationDecider.Decide(past.Aggregate(Invitation.Initial, Invitation.Evolve), command);
}
