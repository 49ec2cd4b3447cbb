using System.Net;
using System.Text.Json.Nodes;
using CaveComm.Domain;
using CaveComm.Domain.Payments;
using CaveComm.Messaging;
using CaveComm.Tests.Providers;
using Shouldly;

namespace CaveComm.Tests.Flow;

/// <summary>Each example of an event that lies with the contracts is taken, stored and handled. Skipped where they are not at hand.</summary>
public sealed class ExampleWebhookTests(Office office) : IClassFixture<Office>
{
    [Theory]
    [InlineData("stripe", "examples/stripe-events.ndjson")]
    [InlineData("btcpay", "examples/btcpay-webhooks.ndjson")]
    public async Task Every_example_is_accepted_stored_and_handled(string provider, string file)
    {
        var examples = Contracts.Lines(file).ToList();
        examples.ShouldNotBeEmpty();

        foreach (var body in examples)
        {
            using var answer = await office.Tell(provider, body, office.Sign(provider, body));
            answer.StatusCode.ShouldBe(HttpStatusCode.OK, body);
        }

        await office.Messages.WaitForIdle(TimeSpan.FromMinutes(1));
        await using var session = office.Store.QuerySession();
        foreach (var body in examples)
        {
            var json = JsonNode.Parse(body)!;
            var id = (string)(json["id"] ?? json["originalDeliveryId"])!;
            var stored = (await session.Events.FetchStreamAsync(StreamKey.ProviderEvent(provider, id), token: TestContext.Current.CancellationToken)).ShouldHaveSingleItem(id);
            stored.Data.ShouldBeOfType<ProviderEvent.Received>().Type.ShouldBe((string?)json["type"]);
        }

        (await office.Messages.List(new MessageFilter(MessageState.Dead, null), 100, null, TestContext.Current.CancellationToken)).Select(it => $"{it.MessageType}: {it.Reason}").ShouldBeEmpty();
        (await office.Database.Scalar<long>("select count(*) from cavecomm_messages where type = 'provider-event-stored'")).ShouldBe(0, "one of them failed and waits for its next attempt");
    }
}
