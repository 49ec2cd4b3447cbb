using CaveComm.Api.Http;
using CaveComm.Domain;
using CaveComm.Domain.Commissions;
using CaveComm.Domain.Freelancers;
using CaveComm.Domain.Payments;
using Microsoft.AspNetCore.Http.HttpResults;

namespace CaveComm.Api.Freelancers;

/// <summary>A template as JSON.</summary>
public sealed record TemplateJson(
    string Freelancer,
    string FreelancerName,
    string Name,
    int Version,
    string Title,
    string Description,
    Money Price,
    PaymentTerms PaymentTerms,
    IReadOnlyList<string> Providers,
    IReadOnlyList<Question> Questions,
    string? TermsOfService,
    int? Slots,
    int DueDays,
    bool Open)
{
    public static TemplateJson Of(Freelancer freelancer, Template it) => new(
        freelancer.Handle, freelancer.DisplayName, it.Name, it.Version, it.Title, it.Description, it.Price, it.PaymentTerms, it.Providers, it.Questions, it.TermsOfService, it.Slots, it.DueDays, freelancer.IsOpen);
}

/// <summary>What the template page shows.</summary>
/// <param name="Providers">What the customer can choose from: offered by the template and configured here.</param>
/// <param name="SlotsLeft">Null for no limit.</param>
/// <param name="Entered">What the customer had typed, when the form comes back with faults.</param>
public sealed record TemplateModel(Freelancer Freelancer, Template Template, IReadOnlyList<string> Providers, int? SlotsLeft, IReadOnlyDictionary<string, string> Entered, Faults? Faults);

/// <summary>F2: a template's text, price, terms, questions and form.</summary>
internal static class TemplatePages
{
    public static void Map(IEndpointRouteBuilder routes) => routes
        .MapGet("/customer/{freelancer}/template/{templateName}", Handle)
        .WithName("ShowTemplate")
        .Produces<TemplateJson>()
        .ProducesProblem(StatusCodes.Status404NotFound);

    /// <summary>The form again, with its faults at the fields.</summary>
    public static RazorComponentResult Show(Offer offer, IPaymentProviders providers, IReadOnlyDictionary<string, string> entered, Faults faults) =>
        Page(new TemplateModel(offer.Freelancer, offer.Template, [.. offer.Template.Providers.Intersect(providers.Names)], null, entered, faults), StatusCodes.Status422UnprocessableEntity);

    private static async Task<IResult> Handle(
        string freelancer, string templateName, HttpContext http, IDocumentStore store, IPaymentProviders providers, CancellationToken cancel)
    {
        await using var session = store.QuerySession();
        if (await session.Offer(freelancer, templateName, cancel) is not { } offer)
        {
            return Problems.Missing();
        }

        int? left = offer.Template.Slots is { } limit
            ? Math.Max(0, limit - (await session.Events.AggregateStreamAsync<Slots>(StreamKey.Slots(freelancer, templateName), token: cancel) ?? Slots.Initial).Holders.Count)
            : null;
        return http.Negotiate(
            TemplateJson.Of(offer.Freelancer, offer.Template),
            _ => Page(
                new TemplateModel(offer.Freelancer, offer.Template, [.. offer.Template.Providers.Intersect(providers.Names)], left, new Dictionary<string, string>(), null),
                StatusCodes.Status200OK));
    }

    private static RazorComponentResult Page(TemplateModel model, int status) => new RazorComponentResult<TemplatePage>(new { Model = model }) { StatusCode = status };
}
