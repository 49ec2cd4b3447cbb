using CaveComm.Api.Composition;
using CaveComm.Api.Payments;
using CaveComm.Domain.Notifications;
using CaveComm.Domain.Payments;
using CaveComm.EventStore;
using CaveComm.Messaging;
using Shouldly;

namespace CaveComm.Tests.Composition;

/// <summary>What a failure of each kind leads to.</summary>
public sealed class MessagePolicyTests
{
    private static readonly MessagingOptions Options = Applied();

    [Fact]
    public void Anything_unexpected_is_tried_again_with_growing_pauses_and_not_for_ever() =>
        Options.Decide(new InvalidOperationException("a bug")).ShouldBe(new FailureAction.RetryWithBackoff());

    [Fact]
    public void A_silent_provider_or_mail_server_is_waited_for_however_long_it_takes()
    {
        Options.Decide(new GatewayUnavailableException("stripe", "silence")).ShouldBe(new FailureAction.RetryWithBackoff(int.MaxValue));
        Options.Decide(new MailUnavailableException("silence")).ShouldBe(new FailureAction.RetryWithBackoff(int.MaxValue));
        Options.MaxThrottledAttempts.ShouldBe(int.MaxValue);
    }

    [Theory]
    [InlineData(30, 30)]
    [InlineData(3_600, 3_600)]
    [InlineData(86_400 * 365, 3_600)]
    public void Who_asks_for_a_pause_gets_it_and_a_little_more_but_never_a_year(int askedSeconds, int leastSeconds)
    {
        var asked = TimeSpan.FromSeconds(askedSeconds);
        foreach (var failure in new Exception[] { new GatewayUnavailableException("stripe", "busy", asked), new MailUnavailableException("busy") { RetryAfter = asked } })
        {
            var pause = Options.Decide(failure).ShouldBeOfType<FailureAction.RetryAfter>().Pause;
            pause.ShouldBeInRange(TimeSpan.FromSeconds(leastSeconds), TimeSpan.FromSeconds(leastSeconds * 1.2));
        }
    }

    [Theory]
    [InlineData(0)]
    [InlineData(-30)]
    public void Who_asks_for_no_pause_is_waited_for_as_if_nothing_had_been_said(int askedSeconds) =>
        Options.Decide(new GatewayUnavailableException("stripe", "busy", TimeSpan.FromSeconds(askedSeconds))).ShouldBe(new FailureAction.RetryWithBackoff(int.MaxValue));

    [Fact]
    public void A_definite_no_is_a_dead_letter_at_once()
    {
        foreach (var failure in new Exception[] { new GatewayRefusedException("stripe", "no"), new MailRefusedException("no"), new AlarmException("look") })
        {
            Options.Decide(failure).ShouldBeOfType<FailureAction.DeadLetter>();
        }
    }

    [Fact]
    public void A_lost_race_is_run_again_at_once() =>
        Options.Decide(new ConcurrencyException("lost")).ShouldBeOfType<FailureAction.RetryNow>();

    private static MessagingOptions Applied()
    {
        var options = new MessagingOptions();
        MessagePolicies.Apply(options);
        return options;
    }
}
