using System.Text;
using CaveComm.Api.Commissions;
using CaveComm.Api.Recurring;
using CaveComm.Domain;
using CaveComm.Domain.Commissions;
using CaveComm.Domain.Delivery;
using CaveComm.Messaging;
using CaveComm.Tests.Support;
using Microsoft.Extensions.DependencyInjection;
using Shouldly;

namespace CaveComm.Tests.Flow;

/// <summary>What stands behind each schedule: nothing depends on one message.</summary>
public sealed class ReconciliationTests(Office office) : IClassFixture<Office>
{
    private static readonly Guid Id = Guid.Parse("0198a000-0000-7000-8000-000000000042");

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("stripe")]
    [InlineData("btcpay")]
    public async Task A_payment_is_found_although_webhook_and_schedule_were_both_lost(string provider)
    {
        var lookalike = provider == "stripe" ? office.Sandbox.StripeUrl : office.Sandbox.BtcPayUrl;
        var story = await (await (await new Story(office).Publish("upFront", provider)).Request(provider)).Accept();
        await story.PayUrl();
        await office.Control(lookalike, new { dropWebhooks = true });
        try
        {
            await Lose(story);
            await story.Pay();
            await Eventually.Holds("the view has the invoice", async () => await Walk(story, TimeSpan.FromHours(25)) == 0 && await InView(story));
            var detail = await story.Detail();
            ((string)detail["status"]!).ShouldBe("awaitingPayment");
            await Eventually.Holds("the provider has the money", () => IsSettled(provider, (string)detail["invoice"]!["id"]!));

            (await Walk(story, TimeSpan.FromHours(27))).ShouldBe(1);

            await story.Reaches("inProgress");
        }
        finally
        {
            await office.Control(lookalike, new { reset = true });
        }
    }

    [Fact]
    public async Task What_was_asked_about_lately_is_left_to_its_schedule()
    {
        var story = await (await (await new Story(office).Publish("upFront", "stripe")).Request("stripe")).Accept();
        await story.PayUrl();
        await Eventually.Holds("the view has the invoice", () => InView(story));
        await Lose(story); // Its own schedule would note a check at today's time.
        await using (var session = office.Store.LightweightSession())
        {
            ProviderCheck.Note(session, story.RequestId, DateTimeOffset.UtcNow.AddHours(20));
            await session.SaveChangesAsync(Cancel);
        }

        (await Walk(story, TimeSpan.FromHours(27))).ShouldBe(0);
        (await Walk(story, TimeSpan.FromHours(47))).ShouldBe(1);
        (await Walk(story, TimeSpan.FromHours(48))).ShouldBe(0, "the walk notes what it has taken up");
    }

    [Fact]
    public void What_is_lost_is_taken_up_with_the_key_that_it_had()
    {
        var accepted = Commission.Initial with { IsRequested = true, IsAccepted = true, Price = new Money(100, "EUR"), Waived = Money.Zero("EUR") };
        var invoiced = accepted with { Invoice = new OpenInvoice("stripe", "in_1", new Money(100, "EUR")) };
        var paid = invoiced with { Payments = [new KnownPayment("pi_1", new Money(100, "EUR"), new Money(100, "EUR"), "ch_1", Counts: true)] };
        var delivered = paid with { DeliveredVersion = 1, ProductVersion = 1 };
        var sent = delivered with { Payout = new RequestedPayout(2, "stripe", "acct_1", new Money(95, "EUR"), new Money(5, "EUR"), null, null) };

        Reconciliation.Lost(Id, accepted with { InvoiceAttempt = 3 }).ShouldBe(new SetUpInvoice(Id, 3));
        Reconciliation.Lost(Id, invoiced).ShouldBeOfType<CheckInvoice>().InvoiceId.ShouldBe("in_1");
        Reconciliation.Lost(Id, invoiced with { Ended = CommissionStatus.Cancelled }).ShouldBe(new VoidInvoice(Id, "in_1"));
        Reconciliation.Lost(Id, paid).ShouldBeNull();
        Reconciliation.Lost(Id, delivered).ShouldBeOfType<PayoutDue>().Round.ShouldBeGreaterThan(0, "no second letter about a missing destination");
        Reconciliation.Lost(Id, sent).ShouldBe(new SendPayout(Id, 2));
        Reconciliation.Lost(Id, sent with { Payout = sent.Payout! with { Provider = "manual" } }).ShouldBeNull();
        Reconciliation.Lost(Id, sent with { IsPaidOut = true }).ShouldBeNull();
    }

    [Fact]
    public async Task Files_that_a_kill_left_behind_are_removed_and_products_are_not()
    {
        var files = office.Services.GetRequiredService<IFileStore>();
        var story = await (await (await new Story(office).Publish("onDelivery", "stripe")).Request("stripe")).Accept();
        await story.Upload();
        var kept = await NamedFile(story);
        var (orphan, fresh) = (Guid.CreateVersion7(), Guid.CreateVersion7());
        var now = DateTimeOffset.UtcNow;
        foreach (var id in new[] { orphan, fresh })
        {
            using var content = new MemoryStream(Encoding.UTF8.GetBytes("half a product"));
            await files.Save(id, content, 1_000, Cancel);
        }

        await using (var session = office.Store.LightweightSession())
        {
            (await session.LoadAsync<PendingUpload>(PendingUpload.Key(kept), Cancel)).ShouldBeNull("the commit that names a file takes its note away");
            session.Store(
                PendingUpload.Of(orphan, story.RequestId, now.AddDays(-8)),
                PendingUpload.Of(kept, story.RequestId, now.AddDays(-8)),
                PendingUpload.Of(fresh, story.RequestId, now.AddDays(-6)));
            await session.SaveChangesAsync(Cancel);
        }

        await using (var session = office.Store.LightweightSession())
        {
            await new OrphanFiles(() => files).Run(session, now, Cancel);
            await session.SaveChangesAsync(Cancel);
        }

        await Should.ThrowAsync<FileNotFoundException>(() => files.OpenRead(orphan, Cancel));
        await (await files.OpenRead(kept, Cancel)).DisposeAsync();
        await (await files.OpenRead(fresh, Cancel)).DisposeAsync();
        await using var after = office.Store.QuerySession();
        (await after.LoadAsync<PendingUpload>(PendingUpload.Key(orphan), Cancel)).ShouldBeNull();
        (await after.LoadAsync<PendingUpload>(PendingUpload.Key(kept), Cancel)).ShouldBeNull();
        (await after.LoadAsync<PendingUpload>(PendingUpload.Key(fresh), Cancel)).ShouldNotBeNull();
    }

    [Fact]
    public async Task The_product_runs_both_series()
    {
        foreach (var name in new[] { "reconciliation", "orphan-files" })
        {
            await Eventually.Holds($"{name} has run", async () =>
            {
                await using var session = office.Store.QuerySession();
                return await session.LoadAsync<RecurringSeries>(name, Cancel) is { Occurrence: > 1, RanAt: not null };
            });
        }
    }

    // Bitcoin is confirmed a moment after it was sent.
    private async Task<bool> IsSettled(string provider, string invoice) => provider == "stripe"
        ? (await office.StripeRecords("invoices")).Any(it => (string?)it["id"] == invoice && (string?)it["status"] == "paid")
        : (await office.BtcPayRecords("invoices")).Any(it => (string?)it["id"] == invoice && (string?)it["status"] == "Settled");

    private static async Task<Guid> NamedFile(Story story) => (Guid)(await story.Detail())["files"]![0]!["fileId"]!;

    private async Task<bool> InView(Story story)
    {
        await using var session = office.Store.QuerySession();
        return await session.LoadAsync<CaveComm.Projections.Commissions.InboxItem>(StreamKey.Commission(story.RequestId), Cancel) is { State.Invoice: not null };
    }

    /// <summary>All messages about a commission that wait for their time are gone, and so is the note of the last check.</summary>
    private async Task Lose(Story story)
    {
        await office.Messages.WaitForIdle(TimeSpan.FromSeconds(60));
        await office.Database.Execute($"delete from cavecomm_messages where group_key = '{StreamKey.Commission(story.RequestId)}'");
        await using var session = office.Store.LightweightSession();
        ProviderCheck.Forget(session, story.RequestId);
        await session.SaveChangesAsync(Cancel);
    }

    /// <summary>The walk as it will be after some hours, over all pages; its messages are sent at once.</summary>
    /// <returns>How many of them are about this commission.</returns>
    private async Task<int> Walk(Story story, TimeSpan later)
    {
        var about = 0;
        var after = "";
        do
        {
            await using var session = office.Store.LightweightSession();
            var found = await Reconciliation.Page(session, after, DateTimeOffset.UtcNow + later, Cancel);
            await session.SaveChangesAsync(Cancel);
            foreach (var theirs in found.OfType<DeliveryMessage<object>>().Where(it => it.Message is ICommissionMessage its && its.Commission == story.RequestId))
            {
                about++;
                await using var scope = office.Services.CreateAsyncScope();
                await scope.ServiceProvider.GetRequiredService<IMessageBus>().PublishAsync(theirs.Message);
            }

            after = found.OfType<DeliveryMessage<ReconcileFrom>>().SingleOrDefault()?.Message.After ?? "";
        }
        while (after != "");

        return about;
    }
}
