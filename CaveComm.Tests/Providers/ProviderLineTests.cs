using CaveComm.Domain.Notifications;
using CaveComm.Domain.Payments;
using CaveComm.Providers;
using CaveComm.Providers.Http;
using CaveComm.Providers.Mail;
using CaveComm.Tests.Support;
using Microsoft.Extensions.Logging.Abstractions;
using Shouldly;
using Mail = CaveComm.Domain.Notifications.Mail;

namespace CaveComm.Tests.Providers;

/// <summary>How many calls go to a provider at once, and when none do.</summary>
public sealed class ProviderLineTests
{
    private const string Invoice = """{"id":"in_1","status":"open","currency":"eur","total":1,"payments":{"data":[]}}""";

    private static readonly int MostCalls = new CallLimits().MostCalls;

    private static readonly TimeSpan FirstPause = new CallLimits().Pause;

    private static readonly CancellationToken Cancel = TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_provider_that_hangs_takes_only_its_share_of_hands_and_the_rest_is_turned_away_with_a_pause()
    {
        using var silent = new Silent();
        using var gateway = Gateways.Stripe(silent);
        var hanging = Enumerable.Range(0, MostCalls).Select(_ => gateway.FetchInvoice("in_1", Cancel)).ToList();
        await Eventually.Holds("all of them hang", () => silent.Asked == MostCalls);
        gateway.State.UnderWay.ShouldBe(MostCalls);

        var turnedAway = await Should.ThrowAsync<GatewayUnavailableException>(() => gateway.FetchInvoice("in_1", Cancel));

        turnedAway.RetryAfter.ShouldBe(Bulkhead.Pause);
        silent.Asked.ShouldBe(MostCalls);
        silent.Release();
        (await Task.WhenAll(hanging)).ShouldAllBe(invoice => invoice != null);
        gateway.State.UnderWay.ShouldBe(0);
    }

    [Fact]
    public async Task At_a_provider_that_is_busy_but_well_a_call_waits_its_turn()
    {
        using var bulkhead = new Bulkhead(1, TimeProvider.System);
        (await bulkhead.Enter(Cancel)).ShouldBeTrue();
        var next = bulkhead.Enter(Cancel).AsTask();
        next.IsCompleted.ShouldBeFalse();

        bulkhead.Leave();

        (await next).ShouldBeTrue();
    }

    [Fact]
    public async Task A_pause_that_the_provider_asks_for_holds_for_every_call()
    {
        var clock = new ManualClock();
        var provider = new ScriptedProvider();
        using var gateway = Gateways.Stripe(provider, clock);
        provider.On("GET /v1/invoices/in_1", "{}", 429, "application/json", ("Retry-After", "40")).On("GET /v1/invoices/in_1", Invoice);
        await Should.ThrowAsync<GatewayUnavailableException>(() => gateway.FetchInvoice("in_1", Cancel));

        var another = await Should.ThrowAsync<GatewayUnavailableException>(() => gateway.FetchInvoice("in_1", Cancel));

        another.RetryAfter.ShouldBe(TimeSpan.FromSeconds(40));
        provider.Sent.Count.ShouldBe(1);
        gateway.State.Circuit.ShouldBe("open");
        clock.Advance(TimeSpan.FromSeconds(40));
        gateway.State.Circuit.ShouldBe("trial");
        (await gateway.FetchInvoice("in_1", Cancel)).ShouldNotBeNull();
        gateway.State.Circuit.ShouldBe("closed");
    }

    [Fact]
    public void No_provider_can_send_us_away_for_a_year()
    {
        var circuit = new Circuit(FirstPause, new ManualClock());

        circuit.Rest(TimeSpan.FromDays(365));

        circuit.Enter().ShouldBe(Circuit.LongestPause);
    }

    [Fact]
    public void A_pause_that_was_asked_for_holds_although_a_call_under_way_succeeds()
    {
        var clock = new ManualClock();
        var told = new List<bool>();
        var circuit = new Circuit(FirstPause, clock, told.Add);

        circuit.Rest(TimeSpan.FromSeconds(60));
        circuit.Succeeded();

        circuit.Enter().ShouldBe(TimeSpan.FromSeconds(60));
        circuit.State.ShouldBe(CircuitState.Open);
        clock.Advance(TimeSpan.FromSeconds(60));
        circuit.Enter().ShouldBeNull();
        circuit.Succeeded();
        told.ShouldBe([true, false]);
    }

    [Fact]
    public void A_clock_that_is_set_back_makes_no_pause_longer_than_the_longest()
    {
        var clock = new ManualClock();
        var circuit = new Circuit(FirstPause, clock);
        Fail(circuit, Circuit.Threshold);

        clock.Advance(TimeSpan.FromHours(-1));

        circuit.Enter().ShouldBe(Circuit.LongestPause);
        clock.Advance(Circuit.LongestPause);
        circuit.Enter().ShouldBeNull();
    }

    [Fact]
    public void The_pauses_grow_while_it_stays_silent_and_are_short_again_once_it_has_answered()
    {
        var clock = new ManualClock();
        var told = new List<bool>();
        var circuit = new Circuit(FirstPause, clock, told.Add);
        Fail(circuit, Circuit.Threshold);
        var pauses = new List<TimeSpan>();
        for (var trial = 0; trial < 8; trial++)
        {
            var pause = circuit.Enter()!.Value;
            pauses.Add(pause);
            clock.Advance(pause);
            Fail(circuit, 1);
        }

        pauses.ShouldBe([.. new[] { 15, 15, 30, 60, 120, 240, 300, 300 }.Select(seconds => TimeSpan.FromSeconds(seconds))]);
        clock.Advance(Circuit.LongestPause);
        circuit.Enter().ShouldBeNull();
        circuit.Succeeded();
        Fail(circuit, Circuit.Threshold);
        circuit.Enter().ShouldBe(FirstPause);
        told.ShouldBe([true, false, true]);
    }

    [Fact]
    public void Calls_that_were_under_way_when_it_opened_do_not_lengthen_the_pause()
    {
        var circuit = new Circuit(FirstPause, new ManualClock());
        for (var call = 0; call < 20; call++)
        {
            circuit.Enter().ShouldBeNull();
        }

        for (var call = 0; call < 20; call++)
        {
            circuit.Failed();
        }

        circuit.Enter().ShouldBe(FirstPause);
    }

    [Fact]
    public async Task A_mail_server_that_is_not_there_is_left_alone_and_mails_are_told_for_how_long()
    {
        var clock = new ManualClock();
        var server = new MailServer();
        var options = new SmtpOptions("127.0.0.1", server.Port, "office@cave.example") { Security = SmtpSecurity.None };
        using var sender = new SmtpMailSender(options, clock, NullLogger<SmtpMailSender>.Instance);
        await server.DisposeAsync();
        var letter = new Mail("commission.1.paid", "ada@example.com", null, "Paid", "Paid.", "<p>Paid.</p>");
        for (var mail = 0; mail < Circuit.Threshold; mail++)
        {
            (await Should.ThrowAsync<MailUnavailableException>(() => sender.Send(letter, Cancel))).RetryAfter.ShouldBeNull();
        }

        var quick = await Should.ThrowAsync<MailUnavailableException>(() => sender.Send(letter, Cancel));

        quick.RetryAfter.ShouldBe(FirstPause);
        sender.State.ShouldBe(new ProviderState("smtp", "open", 0));
    }

    [Fact]
    public async Task A_mail_server_that_refuses_one_mail_after_another_is_alive()
    {
        await using var server = new MailServer(("RCPT", "450 mailbox busy"));
        var options = new SmtpOptions("127.0.0.1", server.Port, "office@cave.example") { Security = SmtpSecurity.None };
        using var sender = new SmtpMailSender(options, TimeProvider.System, NullLogger<SmtpMailSender>.Instance);
        for (var mail = 0; mail < Circuit.Threshold + 1; mail++)
        {
            await Should.ThrowAsync<MailUnavailableException>(() => sender.Send(new Mail("commission.1.paid", "ada@example.com", null, "Paid", "Paid.", "<p/>"), Cancel));
        }

        sender.State.Circuit.ShouldBe("closed");
    }

    private static void Fail(Circuit circuit, int times)
    {
        for (var failure = 0; failure < times; failure++)
        {
            circuit.Enter().ShouldBeNull();
            circuit.Failed();
        }
    }

    /// <summary>Answers nobody until it is released.</summary>
    private sealed class Silent : HttpMessageHandler
    {
        private readonly TaskCompletionSource released = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private int asked;

        public int Asked => Volatile.Read(ref asked);

        public void Release() => released.SetResult();

        protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            Interlocked.Increment(ref asked);
            await released.Task.WaitAsync(cancellationToken);
            return new HttpResponseMessage { Content = new StringContent(Invoice) };
        }
    }
}
