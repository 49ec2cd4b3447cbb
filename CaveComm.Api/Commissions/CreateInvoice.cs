using CaveComm.Api.Customers;
using CaveComm.Api.Http;
using CaveComm.Api.Http.Idempotency;
using CaveComm.Api.Identity;
using CaveComm.Domain;
using CaveComm.Domain.Commissions;
using CaveComm.Domain.Freelancers;
using CaveComm.Domain.Payments;
using Microsoft.AspNetCore.Http.HttpResults;

namespace CaveComm.Api.Commissions;

/// <param name="Description">What the invoice is for: at most 500 characters.</param>
public sealed record CreateInvoiceBody(CustomerBody? Customer, string? Description, Money? Amount, PaymentTerms PaymentTerms, string? Provider);

/// <param name="Entered">What had been typed, when the form comes back with faults.</param>
public sealed record CreateInvoiceModel(string Freelancer, IReadOnlyList<string> Providers, IReadOnlyDictionary<string, string> Entered, Faults? Faults);

/// <summary>F8: work agreed elsewhere becomes a commission that is accepted already, and is invoiced.</summary>
internal static class CreateInvoice
{
    private const int DueDays = 14;

    public static void Map(IEndpointRouteBuilder routes)
    {
        routes.MapGet("/freelancer/{freelancer}/createInvoice", (string freelancer, HttpContext http, IPaymentProviders providers) =>
            http.Negotiate(new { providers = providers.Names }, _ => Page(freelancer, providers, new Dictionary<string, string>(), null, StatusCodes.Status200OK)))
            .WithName("CreateInvoiceForm")
            .RequireFreelancer();
        routes.MapPost("/freelancer/{freelancer}/createInvoice", Handle)
            .WithName(nameof(CreateInvoice))
            .RequireFreelancer()
            .TakesBody<CreateInvoiceBody>()
            .KeepsItsAnswer()
            .Produces<RequestStatus>(StatusCodes.Status201Created)
            .ProducesProblem(StatusCodes.Status422UnprocessableEntity);
    }

    private static async Task<IResult> Handle(
        string freelancer, HttpContext http, CommissionHandling handling, IDocumentStore store, IPaymentProviders providers, TimeProvider clock, CancellationToken cancel)
    {
        var reading = await http.ReadBody<CreateInvoiceBody>(cancel);
        var body = reading.Readable;
        var faults = reading.Faults ?? new Faults();
        if (body is not null)
        {
            var rules = new Faults();
            Check(body, providers, rules);
            faults.AddRest(rules);
        }

        if (body is null || !faults.IsEmpty)
        {
            return http.AnswersForm() && !faults.IsEmpty
                ? Page(freelancer, providers, reading.Entered, faults, StatusCodes.Status422UnprocessableEntity)
                : faults.IsEmpty ? reading.Problem! : faults.ToProblem();
        }

        var id = Guid.CreateVersion7(clock.GetUtcNow());
        var work = new TemplateSnapshot(null, 0, body.Description!.Trim(), body.Amount!.Value, body.PaymentTerms, [], null, null, DueDays);
        var handled = await handling.Begin(
            store,
            clock,
            id,
            body.Customer!.Name!.Trim(),
            body.Customer.Email!,
            customer => new CommissionCommand.EnterAgreed(freelancer, customer, work, body.Provider!),
            CommissionEndpoint.Actor(freelancer),
            null,
            cancel);
        var page = CommissionEndpoint.Page(freelancer, id);
        return http.Answer(handled, () => http.Done(page, TypedResults.Created(page, RequestStatus.Of(id, handled.Commission.State))));
    }

    private static void Check(CreateInvoiceBody body, IPaymentProviders providers, Faults faults)
    {
        (body.Customer ?? new CustomerBody(null, null)).Check(faults);
        faults.RequireText("description", body.Description, 500);
        TemplateRules.CheckPrice("amount", body.Amount ?? default, faults);
        if (body.Provider is null || !providers.Names.Contains(body.Provider))
        {
            faults.Add("provider", $"Choose one of: {string.Join(", ", providers.Names)}.");
        }
        else if (body is { Provider: PaymentProviders.Stripe, Amount.Currency: "BTC" })
        {
            faults.Add("provider", "Stripe takes no BTC; choose btcpay.");
        }
    }

    private static RazorComponentResult Page(string freelancer, IPaymentProviders providers, IReadOnlyDictionary<string, string> entered, Faults? faults, int status) =>
        new RazorComponentResult<CreateInvoicePage>(new { Model = new CreateInvoiceModel(freelancer, providers.Names, entered, faults) }) { StatusCode = status };
}
