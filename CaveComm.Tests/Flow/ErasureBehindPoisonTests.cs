using System.Net;
using System.Net.Http.Json;
using CaveComm.Domain;
using CaveComm.Tests.Support;
using Shouldly;

namespace CaveComm.Tests.Flow;

/// <summary>A customer is erased while the view of a commission waits behind an event that it cannot apply.</summary>
public sealed class ErasureBehindPoisonTests(Office office) : IClassFixture<Office>
{
    private readonly Story story = new(office) { CustomerName = $"Zelda {Guid.NewGuid():N}"[..20] };

    [Fact]
    public async Task It_is_not_told_that_all_have_forgotten_before_they_have_and_it_ends_by_itself()
    {
        await (await story.Publish("upFront", "stripe")).Request("stripe");
        var key = StreamKey.Commission(story.RequestId);
        await Eventually.Holds("it is listed", async () => (await Row(key)).Contains(story.CustomerName, StringComparison.Ordinal));
        await office.Database.Execute($"alter table mt_doc_inboxitem_3 add constraint stubborn check (id <> '{key}' or mt_version = 1)");
        await story.Accept();
        await IsParked(key);
        await office.Database.Execute("""
            create function out_of_order() returns trigger language plpgsql as $$ begin raise exception 'Out of order.'; end $$;
            create trigger out_of_order before update on cavecomm_parked_event for each row execute function out_of_order()
            """);

        using var answer = await Erase();

        answer.StatusCode.ShouldBe(HttpStatusCode.Accepted, await answer.Content.ReadAsStringAsync());
        (await Row(key)).ShouldContain(story.CustomerName);
        await office.Database.Execute("drop trigger out_of_order on cavecomm_parked_event");
        await Eventually.Holds("the view has forgotten", async () => !(await Row(key)).Contains(story.CustomerName, StringComparison.Ordinal));
        await Ends();
        (await IsErased(key)).ShouldBeFalse("the event that says so is parked");
        await IsParked(key);
        using var again = await Erase();
        again.StatusCode.ShouldBe(HttpStatusCode.OK, await again.Content.ReadAsStringAsync());
        await Ends(); // The message of this one would be counted elsewhere.

        await office.Database.Execute("alter table mt_doc_inboxitem_3 drop constraint stubborn");
        await Retry(key);
        (await IsErased(key)).ShouldBeTrue();
        (await Row(key)).ShouldNotContain(story.CustomerName);
    }

    [Fact]
    public async Task A_commission_that_nobody_can_read_keeps_no_other_from_forgetting_and_is_told_when_it_is_mended()
    {
        await (await story.Publish("upFront", "stripe")).Request("stripe");
        var sound = StreamKey.Commission(story.RequestId);
        var customer = await CustomerId();
        await story.Request("stripe");
        var broken = StreamKey.Commission(story.RequestId);
        await office.Database.Execute(
            $"""
            update mt_streams set version = 2 where id = '{broken}';
            insert into mt_events (seq_id, id, stream_id, version, data, type, tenant_id)
            values (nextval('mt_events_sequence'), gen_random_uuid(), '{broken}', 2, '"nonsense"', 'commission.accepted', '*DEFAULT*')
            """);
        await IsParked(broken);

        using var answer = await Erase(customer);

        answer.StatusCode.ShouldBe(HttpStatusCode.Accepted, await answer.Content.ReadAsStringAsync());
        await Eventually.Holds("the other has forgotten", () => IsErased(sound));
        await Eventually.Holds("so has the broken one", async () => !(await Row(broken)).Contains(story.CustomerName, StringComparison.Ordinal));
        (await Spreading()).ShouldBe(1);

        await office.Database.Execute($"update mt_events set data = '{{}}' where stream_id = '{broken}' and version = 2");
        await Retry(broken);

        await Ends();
        await Eventually.Holds("it was told", () => IsErased(broken));
    }

    private async Task<Guid> CustomerId() => (Guid)(await story.Detail())["customer"]!["id"]!;

    private async Task<HttpResponseMessage> Erase(Guid? customer = null) =>
        await office.Admin.PostAsJsonAsync($"admin/customers/{customer ?? await CustomerId()}/erase", new { reason = "asked for" });

    private async Task Retry(string key)
    {
        using var retried = await office.Admin.PostAsJsonAsync("admin/projections/InboxProjection/retry", new { key });
        retried.StatusCode.ShouldBe(HttpStatusCode.OK, await retried.Content.ReadAsStringAsync());
    }

    private Task IsParked(string key) => Eventually.Holds("it is parked", () => office.Database.Scalar<bool>(
        $"select exists (select from cavecomm_parked_event where shard like 'InboxProjection:%' and key = '{key}')"));

    private Task Ends() => Eventually.Holds("nobody has to spread it any more", async () => await Spreading() == 0);

    private Task<long> Spreading() => office.Database.Scalar<long>("select count(*) from cavecomm_messages where type ilike '%spread%'");

    private Task<bool> IsErased(string key) => office.Database.Scalar<bool>($"select (data #>> '{{state,isCustomerErased}}')::boolean from mt_doc_inboxitem_3 where id = '{key}'");

    private Task<string> Row(string key) => office.Database.Scalar<string>($"select coalesce((select data::text from mt_doc_inboxitem_3 where id = '{key}'), '')");
}
