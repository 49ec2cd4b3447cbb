using System.Net;
using System.Net.Http.Json;
using CaveComm.Domain;
using CaveComm.Domain.Papers;
using CaveComm.EventStore;
using CaveComm.Projections.Commissions;
using CaveComm.Tests.Papers;
using CaveComm.Tests.Support;
using Shouldly;

namespace CaveComm.Tests.Flow;

/// <summary>Each freelancer's invoices and credits are numbered in one row without gaps, whatever happens at once.</summary>
public sealed class PaperNumberTests(Office office) : IClassFixture<Office>
{
    private const string Password = "violet-Anvil-3-harbour";
    private const int AtOnce = 32;

    [Fact]
    public async Task Invoices_made_at_once_share_no_number_and_skip_none()
    {
        var shops = new[] { await Register("pia"), await Register("quinn") };
        var stories = shops.SelectMany(shop => Enumerable.Range(0, AtOnce).Select(_ => new Story(office, shop))).ToList();

        await Task.WhenAll(stories.Select(story => story.CreateInvoice("upFront", "stripe")));

        foreach (var (shop, its) in shops.Zip(stories.Chunk(AtOnce)))
        {
            await Eventually.Holds("every invoice has its number", async () => (await Numbers(shop.Handle)).Count == AtOnce);
            var numbers = await Numbers(shop.Handle);
            numbers.Select(it => it.Version).ShouldBe(Enumerable.Range(1, AtOnce).Select(n => (long)n));
            numbers.Select(it => ((NumberEvent)it.Data).Commission).ShouldBe(its.Select(it => it.RequestId), ignoreOrder: true);
        }

        var (handle, client) = shops[0];
        var third = ((NumberEvent)(await Numbers(handle))[2].Data).Commission;
        using var cancelled = await client.PostAsJsonAsync($"freelancer/{handle}/requests/{third}/cancel", new { reason = "I broke my arm." });
        cancelled.StatusCode.ShouldBe(HttpStatusCode.OK);
        await Eventually.Holds(
            "the cancelled invoice keeps its number",
            async () => PdfReading.Of(await client.GetByteArrayAsync($"freelancer/{handle}/requests/{third}/invoice.pdf?number=pia-0003")) is { Title: "Invoice PIA-0003" } pdf
                && pdf.Text.Contains("CANCELLED", StringComparison.Ordinal));
        var next = await new Story(office, shops[0]).CreateInvoice("upFront", "stripe");
        await next.PayUrl();
        PdfReading.Of(await client.GetByteArrayAsync($"{next.Path}/invoice.pdf")).Title.ShouldBe($"Invoice PIA-{AtOnce + 1:0000}");
    }

    [Fact]
    public async Task What_is_not_committed_leaves_no_gap()
    {
        var key = StreamKey.Numbers("rosa");
        await using (var first = office.Store.LightweightSession())
        {
            first.Events.Append(key, Number());
            first.Store(new ReadMark("rosa-was-here", 1));
            await first.SaveChangesAsync();
        }

        await using (var lost = office.Store.LightweightSession())
        {
            lost.Events.Append(key, Number());
            lost.Insert(new ReadMark("rosa-was-here", 2));
            await Should.ThrowAsync<DocumentAlreadyExistsException>(() => lost.SaveChangesAsync());
        }

        await using (var second = office.Store.LightweightSession())
        {
            second.Events.Append(key, Number());
            await second.SaveChangesAsync();
        }

        (await Numbers("rosa")).Select(it => it.Version).ShouldBe([1, 2]);
        PaperNumber.Of("rosa", 2).ShouldBe("ROSA-0002");
        PaperNumber.Of("rosa", 12_345).ShouldBe("ROSA-12345");
    }

    private static NumberEvent.CreditNumbered Number() => new(Guid.NewGuid(), "re_1", Some.Euro(1));

    private async Task<IReadOnlyList<IEvent>> Numbers(string handle)
    {
        await using var session = office.Store.QuerySession();
        return await session.Events.FetchStreamAsync(StreamKey.Numbers(handle));
    }

    private async Task<(string Handle, HttpClient Client)> Register(string handle)
    {
        using var registered = await office.Anonymous.PostAsJsonAsync(
            "freelancer/register", new { handle, displayName = handle, email = $"{handle}@cavecomm.example", password = Password });
        registered.StatusCode.ShouldBe(HttpStatusCode.Created, await registered.Content.ReadAsStringAsync());
        return (handle, office.Client(await office.SignIn((handle, Password))));
    }
}
