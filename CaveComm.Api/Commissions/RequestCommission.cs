using System.Text.Json;
using CaveComm.Api.Customers;
using CaveComm.Api.Freelancers;
using CaveComm.Api.Http;
using CaveComm.Api.Http.Idempotency;
using CaveComm.Domain;
using CaveComm.Domain.Commissions;
using CaveComm.Domain.Freelancers;
using CaveComm.Domain.Payments;
using CaveComm.Projections.Commissions;
using Microsoft.AspNetCore.Http.HttpResults;

namespace CaveComm.Api.Commissions;

/// <summary>What a customer sends to ask for work.</summary>
/// <param name="Answers">By question id.</param>
/// <param name="Provider">May be left out where the template offers only one.</param>
public sealed record RequestBody(CustomerBody? Customer, Dictionary<string, JsonElement>? Answers, string? Provider, bool AcceptedTerms = false);

public sealed record CustomerBody(string? Name, string? Email)
{
    internal void Check(Faults faults)
    {
        faults.RequireLine("customer.name", Name, 200);
        if (!EmailAddress.IsValid(Email))
        {
            faults.Add("customer.email", "An e-mail address, such as ada@example.com.");
        }
    }
}

/// <param name="StatusUrl">The customer's private page: whoever has it may look and withdraw.</param>
public sealed record RequestAccepted(Guid RequestId, string Status, string StatusUrl);

/// <summary>F3: a customer asks for work.</summary>
internal static class RequestCommission
{
    public static void Map(IEndpointRouteBuilder routes) => routes
        .MapPost("/customer/{freelancer}/template/{templateName}/request", Handle)
        .WithName(nameof(RequestCommission))
        .TakesBody<RequestBody>()
        .KeepsItsAnswer()
        .Produces<RequestAccepted>(StatusCodes.Status201Created)
        .ProducesProblem(StatusCodes.Status404NotFound)
        .ProducesProblem(StatusCodes.Status409Conflict)
        .ProducesProblem(StatusCodes.Status422UnprocessableEntity);

    private static async Task<IResult> Handle(
        string freelancer,
        string templateName,
        HttpContext http,
        CommissionHandling handling,
        IDocumentStore store,
        IPaymentProviders providers,
        Links links,
        TimeProvider clock,
        CancellationToken cancel)
    {
        await using var session = store.QuerySession();
        if (await session.Offer(freelancer, templateName, cancel) is not { } offer)
        {
            return Problems.Missing();
        }

        var reading = await http.ReadBody<RequestBody>(cancel);
        if (reading.Readable is not { } body)
        {
            return http.AnswersForm() && reading.Faults is { } unreadable ? TemplatePages.Show(offer, providers, reading.Entered, unreadable) : reading.Problem!;
        }

        if (!offer.Freelancer.IsOpen)
        {
            return new Refusal(RefusalKind.Conflict, "commissions-closed", $"{offer.Freelancer.DisplayName} takes no commissions right now.").ToProblem();
        }

        var rules = new Faults();
        var provider = Check(body, offer.Template, providers, rules);
        var answers = AnswerRules.Check(offer.Template.Questions, Texts(body.Answers, rules), rules);
        var faults = (reading.Faults ?? new Faults()).AddRest(rules);
        if (!faults.IsEmpty)
        {
            return http.AnswersForm() ? TemplatePages.Show(offer, providers, reading.Entered, faults) : faults.ToProblem();
        }

        var id = Guid.CreateVersion7(clock.GetUtcNow());
        var handled = await handling.Begin(
            store,
            clock,
            id,
            body.Customer!.Name!.Trim(),
            body.Customer.Email!,
            customer => new CommissionCommand.Request(offer.Freelancer.Handle, customer, offer.Template.Snapshot(), provider, answers, body.AcceptedTerms),
            null,
            (writing, token) => TakeSlot(writing, offer, id, token),
            cancel);
        var status = links.Status(id);
        var statusUrl = status.AbsoluteUri;
        // A browser stays on the address by which it came: its form may only lead to the same site.
        return http.Answer(handled, () => http.Done(status.PathAndQuery, Created(statusUrl, new RequestAccepted(id, StatusText.Of(handled.Commission.State.Status), statusUrl))));
    }

    private static Created<RequestAccepted> Created(string location, RequestAccepted answer) => TypedResults.Created(location, answer);

    private static string Check(RequestBody body, Template template, IPaymentProviders providers, Faults faults)
    {
        (body.Customer ?? new CustomerBody(null, null)).Check(faults);
        var offered = template.Providers.Intersect(providers.Names).ToList();
        var provider = body.Provider ?? (offered is [var only] ? only : null);
        if (provider is null || !offered.Contains(provider))
        {
            faults.Add("provider", $"Choose one of: {string.Join(", ", offered)}.");
        }

        if (template.TermsOfService is not null && !body.AcceptedTerms)
        {
            faults.Add("acceptedTerms", "Please accept the terms of service.");
        }

        return provider ?? "";
    }

    private static Dictionary<string, string> Texts(Dictionary<string, JsonElement>? answers, Faults faults)
    {
        var texts = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var (id, answer) in answers ?? [])
        {
            switch (answer.ValueKind)
            {
                case JsonValueKind.String:
                    texts[id] = answer.GetString()!;
                    break;
                case JsonValueKind.Number:
                    texts[id] = answer.GetRawText();
                    break;
                case JsonValueKind.Null:
                    break;
                default:
                    faults.Add($"answers.{id}", "A text or a number.");
                    break;
            }
        }

        return texts;
    }

    // In the commission's own transaction: of two that ask for the last place, the second finds the slots stream moved on, and decides again.
    private static async Task<Refusal?> TakeSlot(IDocumentSession session, Offer offer, Guid id, CancellationToken cancel)
    {
        if (offer.Template.Slots is not { } limit)
        {
            // Counted all the same: the template may get a limit while this one is open.
            session.Events.Append(StreamKey.Slots(offer.Freelancer.Handle, offer.Template.Name), new SlotEvent.SlotTaken(id));
            return null;
        }

        var stream = await session.Events.FetchForWriting<Slots>(StreamKey.Slots(offer.Freelancer.Handle, offer.Template.Name), cancel);
        var decision = (stream.Aggregate ?? Slots.Initial).Take(id, limit);
        stream.AppendMany(decision.Events);
        return decision.Refusal;
    }
}
