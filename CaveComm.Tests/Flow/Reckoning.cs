using System.Text.Json;
using System.Text.Json.Nodes;
using CaveComm.Api.Composition;
using CaveComm.EventStore;
using CaveComm.Projections.Commissions;
using CaveComm.Tests.Support;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Shouldly;

namespace CaveComm.Tests.Flow;

/// <summary>After everything: whether each story ended as it should, and each thing happened once.</summary>
internal sealed class Reckoning(KillableOffice office, IReadOnlyList<Tale> tales)
{
    private const string Ours = "commission-";

    private readonly ProviderBooks books = new(office);

    private IReadOnlyList<Tale> Paid => [.. tales.Where(tale => tale.Provider is not null)];

    public async Task Make(PatientClient freelancer, PatientClient second)
    {
        await Mails();
        await Commissions(freelancer, second);
        await Stripe(freelancer.Handle, second.Handle);
        await BtcPay();
        await Log();
        await Inbox();
    }

    private async Task Commissions(params PatientClient[] freelancers)
    {
        (await office.Scalar<long>("select count(*) from mt_streams where id like 'commission:%'")).ShouldBe(tales.Count, "an act that was repeated made a second commission");
        foreach (var tale in tales)
        {
            var detail = await freelancers.Single(it => it.Handle == tale.Handle).Get($"freelancer/{tale.Handle}/requests/{tale.Commission}");
            ((string)detail["status"]!).ShouldBe(tale.Status);
            detail["payments"]!.AsArray().Count.ShouldBe(tale.Provider is null ? 0 : 1);
            detail["files"]!.AsArray().Count.ShouldBe(tale.Provider is null ? 0 : 1);
            var history = detail["history"]!.AsArray().Select(line => (string)line!["type"]!).ToList();
            history.Distinct().Count().ShouldBe(history.Count, string.Join(", ", history));
        }
    }

    // The last letters may still be on their way. Then none is missing, none is twice, and none is there that nobody should have written.
    private async Task Mails()
    {
        IReadOnlyList<string> written = [], expected = [.. tales.SelectMany(Letters).Order(StringComparer.Ordinal)];
        IReadOnlyList<JsonNode> mails = [];
        await Eventually.Holds(
            "all mails are there",
            async () =>
            {
                mails = await books.Mails(null);
                written = [.. mails.Select(Purpose).Order(StringComparer.Ordinal)];
                return written.Count >= expected.Count;
            },
            TimeSpan.FromMinutes(2));
        written.ShouldBe(expected);
        mails.Select(mail => (string)mail["messageId"]!).ShouldBeUnique();
        foreach (var sameTwice in mails.GroupBy(mail => ((string)mail["to"]!, (string)mail["subject"]!, (string)mail["text"]!)).Where(group => group.Count() > 1))
        {
            // Nobody is told the same in the same words twice.
            sameTwice.Key.ToString().ShouldBeNull();
        }
    }

    private static IEnumerable<string> Letters(Tale tale) =>
        [.. tale.Letters.Select(letter => $"{tale.Commission:N} {letter}"), .. tale.Provider == "stripe" ? [$"stripe to {tale.CustomerEmail}"] : Array.Empty<string>()];

    // commission-{id}.{recipient}.{kind}.{number}@host; Stripe's own mails have ids of their own.
    private static string Purpose(JsonNode mail)
    {
        var id = (string)mail["messageId"]!;
        return id.StartsWith(Ours, StringComparison.Ordinal) && id.Split('@')[0].Split('.') is [var commission, var recipient, var kind, _]
            ? $"{commission[Ours.Length..]} {recipient}.{kind}"
            : $"stripe to {mail["to"]}";
    }

    private async Task Stripe(params string[] handles)
    {
        var ours = Paid.Where(tale => tale.Provider == "stripe").ToList();
        Once(await books.StripeInvoices(), ours, "Stripe invoices").ShouldAllBe(invoice => (string?)invoice["status"] == "paid");
        Once(await books.StripeTransfers(), ours, "transfers");
        (await books.StripePayments()).Count(payment => (string?)payment["status"] == "succeeded").ShouldBe(ours.Count, "payments at Stripe");
        foreach (var handle in handles)
        {
            Once(await books.StripePayouts(handle), [.. ours.Where(tale => tale.Handle == handle)], $"payouts to {handle}").ShouldAllBe(payout => (string?)payout["status"] == "paid");
        }
    }

    private async Task BtcPay()
    {
        var ours = Paid.Where(tale => tale.Provider == "btcpay").ToList();
        OnceBy(await books.BtcPayInvoices(), "commissionId", ours, "BTCPay invoices").ShouldAllBe(invoice => (string?)invoice["status"] == "Settled");
        OnceBy(await books.BtcPayPayouts(), "commissionId", ours, "BTCPay payouts").ShouldAllBe(payout => (string?)payout["state"] == "Completed");
    }

    private static IReadOnlyList<JsonNode> Once(IReadOnlyList<JsonNode> found, IReadOnlyList<Tale> commissions, string what) =>
        OnceBy(found, "commission_id", commissions, what);

    private static IReadOnlyList<JsonNode> OnceBy(IReadOnlyList<JsonNode> found, string key, IReadOnlyList<Tale> commissions, string what)
    {
        found.Select(it => (string)it["metadata"]![key]!).Order().ShouldBe(commissions.Select(tale => tale.Commission.ToString()).Order(), what);
        return found;
    }

    private async Task Log()
    {
        (await office.Texts("""
            select s.id || ' says ' || s.version || ' and has ' || count(e.version) || ' up to ' || coalesce(max(e.version), 0)
            from mt_streams s left join mt_events e on e.stream_id = s.id
            group by s.id, s.version
            having count(distinct e.version) <> s.version or count(e.version) <> s.version or min(e.version) <> 1 or max(e.version) <> s.version
            """)).ShouldBeEmpty();
        (await office.Texts("select type || ': ' || errors::text from cavecomm_dead_letters")).ShouldBeEmpty();
        (await office.Texts("select e.stream_id from mt_events e left join mt_streams s on s.id = e.stream_id where s.id is null")).ShouldBeEmpty();
        await Eventually.Holds(
            "nothing due is left lying", async () => await office.Scalar<long>("select count(*) from cavecomm_messages where due_at < now() - interval '1 second'") == 0, TimeSpan.FromMinutes(1));
    }

    // The stored view against the stream folded anew, by the product's own composition.
    private async Task Inbox()
    {
        var configuration = new ConfigurationBuilder()
            .AddInMemoryCollection(new Dictionary<string, string?> { ["ConnectionStrings:CaveComm"] = (string)office.Facts["database"]!, ["CaveComm:DataPath"] = office.Folder }).Build();
        await using var services = new ServiceCollection().AddLogging().AddSingleton(TimeProvider.System).AddSingleton<IConfiguration>(configuration).AddBackend(configuration).BuildServiceProvider();
        await using var session = services.GetRequiredService<IDocumentStore>().QuerySession();
        foreach (var tale in tales)
        {
            var key = Domain.StreamKey.Commission(tale.Commission);
            var live = await session.Events.AggregateStreamAsync<InboxItem>(key, token: TestContext.Current.CancellationToken);
            string? stored = null;
            await Eventually.Holds($"the inbox has caught up with {key}", async () =>
            {
                var line = await session.LoadAsync<InboxItem>(key, TestContext.Current.CancellationToken);
                stored = JsonSerializer.Serialize(line);
                return line?.Version == live!.Version;
            });
            stored.ShouldBe(JsonSerializer.Serialize(live));
        }
    }
}
