using System.Collections.Concurrent;
using System.Net;
using System.Security.Cryptography;
using System.Text;
using CaveComm.Domain;
using CaveComm.Domain.Payments;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Shouldly;

namespace CaveComm.Tests.Flow;

/// <summary>What is posted in a provider's name, rightly or wrongly.</summary>
[Collection(nameof(BadInputOffice))]
public sealed class WebhookBadInputTests(Office office)
{
    private const int MostBytes = 1024 * 1024;

    [Fact]
    public async Task A_forged_stripe_event_is_refused_and_not_kept()
    {
        var id = $"evt_{Guid.NewGuid():N}";
        var body = Webhook.Paid("stripe", id, "in_nobodys", Guid.NewGuid());
        var now = DateTimeOffset.UtcNow;
        var good = Webhook.SignStripe(body, office.Sandbox.StripeWebhookSecret, now);
        string?[] forged =
        [
            null,
            "",
            "garbage",
            $"t={now.ToUnixTimeSeconds()}",
            Webhook.SignStripe(body, "whsec_wrong", now),
            Webhook.SignStripe(body + " ", office.Sandbox.StripeWebhookSecret, now),
            Webhook.SignStripe(body, office.Sandbox.StripeWebhookSecret, now - TimeSpan.FromSeconds(330)),
            Webhook.SignStripe(body, office.Sandbox.StripeWebhookSecret, now + TimeSpan.FromSeconds(330)),
            good[..^2],
            good.Replace("v1=", "v0=", StringComparison.Ordinal),
            good.Replace("t=", "t=1", StringComparison.Ordinal),
        ];

        foreach (var signature in forged)
        {
            using var answer = await office.Tell("stripe", body, signature);
            await answer.IsProblem(HttpStatusCode.BadRequest, "bad-signature");
        }

        (await Kept(StreamKey.ProviderEvent("stripe", id))).ShouldBeEmpty();
        using var taken = await office.Tell("stripe", body, good);
        taken.StatusCode.ShouldBe(HttpStatusCode.OK);
        (await Kept(StreamKey.ProviderEvent("stripe", id))).Count.ShouldBe(1);
    }

    [Fact]
    public async Task A_forged_btcpay_delivery_is_refused_and_not_kept()
    {
        var id = Guid.NewGuid().ToString("N");
        var body = Webhook.Paid("btcpay", id, "nobodys", Guid.NewGuid());
        var good = Webhook.SignBtcPay(body, office.Sandbox.BtcPayWebhookSecret);
        string?[] forged =
        [
            null, "", "garbage", "sha256=", Webhook.SignBtcPay(body, "wrong"), Webhook.SignBtcPay(body + " ", office.Sandbox.BtcPayWebhookSecret), good[..^2], good["sha256=".Length..],
        ];

        foreach (var signature in forged)
        {
            using var answer = await office.Tell("btcpay", body, signature);
            await answer.IsProblem(HttpStatusCode.BadRequest, "bad-signature");
        }

        (await Kept(StreamKey.ProviderEvent("btcpay", id))).ShouldBeEmpty();
        using var taken = await office.Tell("btcpay", body, good);
        taken.StatusCode.ShouldBe(HttpStatusCode.OK);
        (await Kept(StreamKey.ProviderEvent("btcpay", id))).Count.ShouldBe(1);
    }

    [Theory]
    [InlineData("stripe")]
    [InlineData("btcpay")]
    public async Task A_body_that_was_cut_off_or_changed_is_refused_and_not_kept(string provider)
    {
        var id = $"evt_{Guid.NewGuid():N}";
        var body = Webhook.Paid(provider, id, "in_nobodys", Guid.NewGuid());
        var signature = office.Sign(provider, body);

        foreach (var wrong in new[] { "", body[..^1], body[..(body.Length / 2)], body + "\n", body.Replace("nobodys", "anybodys", StringComparison.Ordinal) })
        {
            using var answer = await office.Tell(provider, wrong, signature);
            await answer.IsProblem(HttpStatusCode.BadRequest, "bad-signature");
            (await Kept(StreamKey.ProviderEvent(provider, Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(wrong)))))).ShouldBeEmpty();
        }

        (await Kept(StreamKey.ProviderEvent(provider, id))).ShouldBeEmpty();
    }

    [Fact]
    public async Task What_is_refused_and_what_is_taken_is_counted_and_refusals_are_logged()
    {
        using var counts = new WebhookCounts();
        var heard = new Alarms(LogLevel.Warning);
        office.Services.GetRequiredService<ILoggerFactory>().AddProvider(heard);
        var now = DateTimeOffset.UtcNow;
        var body = Webhook.Paid("stripe", $"evt_{Guid.NewGuid():N}", "in_nobodys", Guid.NewGuid());
        var delivery = Webhook.Paid("btcpay", Guid.NewGuid().ToString("N"), "nobodys", Guid.NewGuid());
        var huge = new string(' ', MostBytes + 1);
        (string Provider, string Body, string? Signature, string Counted)[] told =
        [
            ("stripe", body, null, "refused stripe unsigned"),
            ("stripe", body, Webhook.SignStripe(body, "whsec_wrong", now), "refused stripe wrong-signature"),
            ("stripe", body, Webhook.SignStripe(body, office.Sandbox.StripeWebhookSecret, now.AddMinutes(-6)), "refused stripe stale"),
            ("stripe", huge, office.Sign("stripe", huge), "refused stripe too-large"),
            ("stripe", body, office.Sign("stripe", body), "accepted stripe False"),
            ("stripe", body, office.Sign("stripe", body), "accepted stripe True"),
            ("btcpay", delivery, null, "refused btcpay unsigned"),
            ("btcpay", delivery, Webhook.SignBtcPay(delivery, "wrong"), "refused btcpay wrong-signature"),
            ("btcpay", huge, office.Sign("btcpay", huge), "refused btcpay too-large"),
            ("btcpay", delivery, office.Sign("btcpay", delivery), "accepted btcpay False"),
            ("btcpay", delivery, office.Sign("btcpay", delivery), "accepted btcpay True"),
        ];

        foreach (var (provider, text, signature, counted) in told)
        {
            var (before, logged) = (counts.Of(counted), heard.Lines.Count);
            using var answer = await office.Tell(provider, text, signature);
            counts.Of(counted).ShouldBeGreaterThan(before, counted);
            if (counted.StartsWith("refused", StringComparison.Ordinal))
            {
                ((int)answer.StatusCode).ShouldBe(counted.EndsWith("too-large", StringComparison.Ordinal) ? 413 : 400);
                heard.Lines.Skip(logged).ShouldContain(it => it.StartsWith($"Refused a webhook in {provider}'s name", StringComparison.Ordinal), counted);
            }
        }
    }

    [Theory]
    [InlineData("stripe", false)]
    [InlineData("stripe", true)]
    [InlineData("btcpay", false)]
    [InlineData("btcpay", true)]
    public async Task A_huge_delivery_is_too_large(string provider, bool chunked)
    {
        var body = new string(' ', MostBytes + 1);
        using var answer = await office.Tell(provider, body, office.Sign(provider, body), chunked);
        await answer.IsProblem(HttpStatusCode.RequestEntityTooLarge, "too-large");
    }

    [Theory]
    [InlineData("stripe", "this is no JSON")]
    [InlineData("stripe", "[1,2,3]")]
    [InlineData("stripe", """{"object":"event","type":"invoice.paid"}""")]
    [InlineData("stripe", "{\"object\":\"event\",\"id\":\"\u0000")]
    [InlineData("btcpay", "")]
    [InlineData("btcpay", """{"type":"InvoiceSettled"}""")]
    public async Task A_rightly_signed_delivery_that_cannot_be_read_is_kept_once_and_raises_an_alarm(string provider, string template)
    {
        // Its digest is its name, so each run needs a body of its own.
        var body = template + new string(' ', Random.Shared.Next(1, 1_000_000));
        var alarms = new Alarms(LogLevel.Error);
        office.Services.GetRequiredService<ILoggerFactory>().AddProvider(alarms);

        for (var copy = 0; copy < 2; copy++)
        {
            using var answer = await office.Tell(provider, body, office.Sign(provider, body));
            answer.StatusCode.ShouldBe(HttpStatusCode.OK);
        }

        var sha256 = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(body)));
        var kept = await Kept(StreamKey.ProviderEvent(provider, sha256));
        kept.ShouldHaveSingleItem().ShouldBeOfType<ProviderEvent.Unreadable>().Sha256.ShouldBe(sha256);
        alarms.Lines.ShouldContain(it => it.Contains(provider, StringComparison.OrdinalIgnoreCase) && it.Contains("unreadable", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("stripe")]
    [InlineData("btcpay")]
    public async Task A_type_that_nobody_knows_is_kept_and_changes_nothing(string provider)
    {
        var id = $"evt_{Guid.NewGuid():N}";
        var body = Webhook.News(provider, id, provider == "stripe" ? "something.brand_new" : "SomethingBrandNew");
        var before = await office.HighestSequence();

        using var answer = await office.Tell(provider, body, office.Sign(provider, body));

        answer.StatusCode.ShouldBe(HttpStatusCode.OK);
        (await Kept(StreamKey.ProviderEvent(provider, id))).ShouldHaveSingleItem().ShouldBeOfType<ProviderEvent.Received>().Body.ShouldBe(body);
        await office.Messages.WaitForIdle(TimeSpan.FromSeconds(60));
        (await office.RecordedSince(before, null)).ShouldBe("");
    }

    [Theory]
    [InlineData("stripe")]
    [InlineData("btcpay")]
    public async Task An_event_told_five_times_at_once_is_kept_and_handled_once(string provider)
    {
        var story = await (await (await new Story(office).Publish("upFront", provider)).Request(provider)).Accept();
        await story.Pay();
        var invoice = (string)(await story.Reaches("inProgress"))["invoice"]!["id"]!;
        var id = $"evt_{Guid.NewGuid():N}";
        var body = Webhook.Paid(provider, id, invoice, story.RequestId);
        var signature = office.Sign(provider, body);

        var answers = await Task.WhenAll(Enumerable.Range(0, 5).Select(_ => office.Tell(provider, body, signature)));

        answers.ShouldAllBe(it => it.StatusCode == HttpStatusCode.OK);
        (await Kept(StreamKey.ProviderEvent(provider, id))).Count.ShouldBe(1);
        await office.Messages.WaitForIdle(TimeSpan.FromSeconds(60));
        (await story.Detail())["payments"]!.AsArray().Count.ShouldBe(1);
        (await story.History()).Count(it => it == "commission.payment-received").ShouldBe(1);
        Array.ForEach(answers, it => it.Dispose());
    }

    private async Task<IReadOnlyList<object>> Kept(string key)
    {
        await using var session = office.Store.QuerySession();
        return [.. (await session.Events.FetchStreamAsync(key)).Select(it => it.Data)];
    }

    /// <summary>Hears what the product logs at a level and above.</summary>
    private sealed class Alarms(LogLevel least) : ILoggerProvider, ILogger
    {
        public ConcurrentQueue<string> Lines { get; } = [];

        public ILogger CreateLogger(string categoryName) => this;

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => logLevel >= least;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            if (logLevel >= least)
            {
                Lines.Enqueue(formatter(state, exception));
            }
        }

        public void Dispose()
        {
        }
    }
}
