using CaveComm.Domain.Identity;
using CaveComm.Tests.Support;
using FsCheck.Fluent;
using Shouldly;
using static CaveComm.Domain.Identity.SessionEvent;

namespace CaveComm.Tests.Identity;

public class SessionDeciderTests
{
    private const string Callback = "https://app.example/callback";
    private const string Challenge = "the-challenge";

    private static readonly CodeIssued Code = new("code", Callback, Challenge, null, Some.Noon.AddSeconds(60));
    private static readonly SessionCommand.Redeem Redeem = new("app", "code", Callback, Challenge, "first", Some.Noon);
    private static readonly SessionCommand.Renew Renew = new("app", "first", "second", Some.Noon);

    private static Given<Session, SessionEvent, SessionCommand> Given(params SessionEvent[] happened) =>
        new(happened.Aggregate(Session.Initial, Session.Evolve), SessionDecider.Decide);

    [Fact]
    public void A_code_is_redeemed_once() =>
        Given(Some.SessionStarted, Code).When(Redeem).Then(new CodeRedeemed(), new RefreshIssued("first"));

    [Fact]
    public void A_code_that_comes_twice_ends_the_session() =>
        Given(Some.SessionStarted, Code, new CodeRedeemed(), new RefreshIssued("first")).When(Redeem).Then(new SessionEnded(SessionDecider.CodeTwice));

    [Fact]
    public void What_does_not_fit_the_code_is_refused_and_changes_nothing()
    {
        SessionCommand.Redeem[] wrong =
        [
            Redeem with { Client = "other" }, Redeem with { Code = "guess" }, Redeem with { RedirectUri = Callback + "/" },
            Redeem with { Challenge = "another" }, Redeem with { Now = Code.ExpiresAt },
        ];
        foreach (var command in wrong)
        {
            Given(Some.SessionStarted, Code).When(command).ThenRefused("invalid-grant");
        }
    }

    [Fact]
    public void A_refresh_token_gives_the_next() =>
        Given(Some.SessionStarted, new RefreshIssued("first")).When(Renew).Then(new RefreshIssued("second"));

    [Fact]
    public void A_refresh_token_that_comes_twice_ends_the_session() =>
        Given(Some.SessionStarted, new RefreshIssued("first"), new RefreshIssued("second")).When(Renew).Then(new SessionEnded(SessionDecider.RefreshTwice));

    [Fact]
    public void A_guess_another_client_and_the_end_of_its_time_are_refused()
    {
        Given(Some.SessionStarted, new RefreshIssued("first")).When(Renew with { Token = "guess" }).ThenRefused("invalid-grant");
        Given(Some.SessionStarted, new RefreshIssued("first")).When(Renew with { Client = "other" }).ThenRefused("invalid-grant");
        Given(Some.SessionStarted, new RefreshIssued("first")).When(Renew with { Now = Some.SessionStarted.EndsAt }).ThenRefused("invalid-grant");
        Given(Some.SessionStarted, new RefreshIssued("first"), new SessionEnded("signed out")).When(Renew).ThenRefused("invalid-grant");
        Given().When(Renew).ThenRefused("invalid-grant");
    }

    [Fact]
    public void A_session_begins_and_ends_once()
    {
        Given().When(new SessionCommand.Begin(Some.SessionStarted, Code)).Then(Some.SessionStarted, Code);
        Given(Some.SessionStarted).When(new SessionCommand.Begin(Some.SessionStarted)).ThenRefused("exists-already");
        Given(Some.SessionStarted).When(new SessionCommand.End("signed out")).Then(new SessionEnded("signed out"));
        Given(Some.SessionStarted, new SessionEnded("signed out")).When(new SessionCommand.End("again")).ThenNothing();
    }

    /// <summary>Tokens are called t0, t1 and so on, in the order in which they were handed out; a step sends one of them, a guess, or ends the session.</summary>
    [Fact]
    public void Whatever_the_order_at_most_one_refresh_token_is_good_and_none_after_the_end() =>
        Rule.Holds(Gen.Choose(-2, 8).ArrayOf(), Simpler, steps =>
        {
            var state = SessionDecider.Decide(Session.Initial, new SessionCommand.Begin(Some.SessionStarted, Refresh: "t0")).Events.Aggregate(Session.Initial, Session.Evolve);
            var handedOut = 1;
            var isOver = false;
            foreach (var step in steps)
            {
                var next = $"t{handedOut}";
                SessionCommand command = step switch
                {
                    -2 => new SessionCommand.End("signed out"),
                    -1 => Renew with { Token = "guess", Next = next },
                    _ => Renew with { Token = $"t{step}", Next = next },
                };
                var decision = SessionDecider.Decide(state, command);
                var isNew = decision.Events.OfType<RefreshIssued>().Any();
                isNew.ShouldBe(!isOver && step == handedOut - 1, "Only the token handed out last gives the next.");
                if (!isOver && step >= 0 && step < handedOut - 1)
                {
                    decision.Events.ShouldBe([new SessionEnded(SessionDecider.RefreshTwice)]);
                }

                handedOut += isNew ? 1 : 0;
                isOver |= decision.Events.OfType<SessionEnded>().Any();
                state = decision.Events.Aggregate(state, Session.Evolve);
                state.CurrentRefresh.ShouldBe(isOver ? null : $"t{handedOut - 1}");
                state.UsedRefreshes.ShouldBe(Enumerable.Range(0, isOver ? handedOut : handedOut - 1).Select(it => $"t{it}"), ignoreOrder: true);
            }
        });

    private static IEnumerable<int[]> Simpler(int[] steps) => Enumerable.Range(0, steps.Length).Select(left => steps.Where((_, index) => index != left).ToArray());
}
