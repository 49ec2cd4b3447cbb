using System.Text.Json;
using CaveComm.Domain.Payments;
using CaveComm.Providers.Http;

namespace CaveComm.Providers.Stripe;

/// <summary>Stripe's own list of what happened on the platform's account, kept for 30 days (contracts/stripe.md §9).</summary>
internal sealed class StripeEventList(StripeClient stripe)
{
    private const string Operation = "list events";
    private const string NoSuchEvent = "resource_missing";
    private const int PageSize = 100;

    public async Task<ProviderEventPage?> List(ProviderEventRange range, CancellationToken cancel)
    {
        var created = new StripeForm { ["lte"] = range.Until };
        if (range.Since is { } since)
        {
            created["gte"] = since;
        }

        var answer = await stripe.Get(
            Operation,
            "/v1/events",
            new StripeForm { ["limit"] = PageSize, ["created"] = created, ["ending_before"] = range.NewerThan, ["starting_after"] = range.OlderThan },
            null,
            cancel);
        if (!answer.IsDone)
        {
            return (answer.IsMissing || answer.ErrorCode == NoSuchEvent) && (range.NewerThan ?? range.OlderThan) is not null
                ? null
                : throw new GatewayUnavailableException(StripeGateway.ProviderName, $"{Operation}: {answer.ErrorCode ?? "refused"}.");
        }

        if (answer.Body.At("data").ValueKind != JsonValueKind.Array)
        {
            // Not a page without events: on that the mark would pass over what was never read.
            throw new GatewayUnavailableException(StripeGateway.ProviderName, $"{Operation}: no list.");
        }

        return new ProviderEventPage([.. answer.Body.Items("data").Select(Listed)], answer.Body.IsTrue("has_more"));
    }

    // Without its id nobody could say how far the list was read.
    private static ListedEvent Listed(JsonElement it) => new(
        it.Text("id") ?? throw new GatewayUnavailableException(StripeGateway.ProviderName, $"{Operation}: an event without an id."),
        it.Time("created"),
        StripeWebhookReader.Read(it),
        it.GetRawText());
}
