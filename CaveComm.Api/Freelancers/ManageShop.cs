using CaveComm.Api.Http;
using CaveComm.Api.Http.Idempotency;
using CaveComm.Api.Identity;
using CaveComm.Api.OwnAccount;
using CaveComm.Api.Payouts;
using CaveComm.Domain;
using CaveComm.Domain.Commissions;
using CaveComm.Domain.Freelancers;
using CaveComm.Domain.Identity;
using CaveComm.Domain.Payments;
using Microsoft.AspNetCore.Http.HttpResults;

namespace CaveComm.Api.Freelancers;

/// <summary>A template as its freelancer writes it (spec: commissions.md, "JSON shapes").</summary>
/// <param name="DueDays">Days until an invoice is due; 14 when left out.</param>
public sealed record TemplateBody(
    string? Title,
    string? Description,
    Money? Price,
    PaymentTerms PaymentTerms,
    IReadOnlyList<string>? Providers,
    IReadOnlyList<QuestionBody>? Questions,
    string? TermsOfService,
    int? Slots,
    int? DueDays)
{
    private const int UsualDueDays = 14;

    public Template ToTemplate(string name) => new(
        name,
        0,
        Title?.Trim() ?? "",
        Description?.Trim() ?? "",
        Price ?? default,
        PaymentTerms,
        Providers ?? [],
        [.. (Questions ?? []).Select(q => new Question(q.Id ?? "", q.Label ?? "", q.Kind, q.Required, q.Options))],
        string.IsNullOrWhiteSpace(TermsOfService) ? null : TermsOfService.Trim(),
        Slots,
        DueDays ?? UsualDueDays);
}

public sealed record QuestionBody(string? Id, string? Label, QuestionKind Kind, bool Required = false, IReadOnlyList<string>? Options = null);

/// <param name="Billing">What stands on invoices and receipts: left out, it stays; empty, it is taken back.</param>
public sealed record ProfileBody(string? DisplayName, string? Email, string? About, BillingBody? Billing = null);

/// <param name="Address">Lines, without the name. A form sends them as one text.</param>
/// <param name="TaxRateBasisPoints">Hundredths of a percent that prices contain: 1900 is 19 %.</param>
/// <param name="ReverseChargeNote">Why no tax is charged, in place of a rate.</param>
public sealed record BillingBody(string? LegalName, IReadOnlyList<string>? Address, string? TaxId, int? TaxRateBasisPoints, string? ReverseChargeNote)
{
    /// <param name="displayName">Stands for a legal name that is left empty.</param>
    /// <returns>Null when nothing is set.</returns>
    public BillingDetails? ToDetails(string? displayName)
    {
        var details = new BillingDetails(
            LegalName?.Trim() ?? "",
            [.. (Address ?? []).SelectMany(text => text.ReplaceLineEndings("\n").Split('\n')).Select(line => line.Trim()).Where(line => line.Length > 0)],
            Tidied(TaxId),
            TaxRateBasisPoints,
            Tidied(ReverseChargeNote));
        return details is { LegalName.Length: 0, Address.Count: 0, TaxId: null, TaxRateBasisPoints: null, ReverseChargeNote: null } ? null
            : details.LegalName.Length > 0 ? details
            : details with { LegalName = displayName?.Trim() ?? "" };
    }

    private static string? Tidied(string? text) => string.IsNullOrWhiteSpace(text) ? null : text.Trim();
}

/// <param name="Destination">Stripe: <c>acct_…</c>. BTCPay: a Lightning or on-chain address. Left out with <paramref name="Manual"/>.</param>
/// <param name="Manual">The freelancer settles these payouts by hand and marks them so.</param>
public sealed record DestinationBody(string? Destination, bool Manual = false);

public sealed record DestinationJson(string Provider, string Destination, bool Manual);

/// <param name="Ready">False while the provider still wants to know something: payouts wait until then.</param>
public sealed record PayoutAccountJson(string Provider, string Account, bool Ready);

public sealed record ShopStatus(
    string Handle, string DisplayName, string Email, string? About, bool Open, IReadOnlyList<TemplateJson> Templates, IReadOnlyList<DestinationJson> PayoutDestinations,
    IReadOnlyList<PayoutAccountJson> PayoutAccounts, BillingDetails? Billing)
{
    public static ShopStatus Of(Freelancer it) => new(
        it.Handle,
        it.DisplayName,
        it.Email,
        it.About,
        it.IsOpen,
        [.. it.Templates.Values.Select(t => TemplateJson.Of(it, t))],
        [.. it.PayoutDestinations.OrderBy(d => d.Key, StringComparer.Ordinal).Select(d => new DestinationJson(d.Key, d.Value.Address, d.Value.ByHand))],
        [.. it.PayoutAccounts.OrderBy(a => a.Key, StringComparer.Ordinal).Select(a => new PayoutAccountJson(a.Key, a.Value.Id, a.Value.IsReady))],
        it.Billing);
}

/// <summary>What a freelancer sets up: templates, opening, profile, payout destinations.</summary>
internal static class ManageShop
{
    public static void Map(IEndpointRouteBuilder routes)
    {
        TemplateEditor.Map(routes);
        var shop = routes.MapGroup("/freelancer/{freelancer}").RequireFreelancer().LeadsToPayoutAccounts();
        PayoutAccounts.Map(shop);
        shop.MapGet("/templates", ShowTemplates).WithName("ListTemplates");
        shop.MapPut("/templates/{templateName}", PutTemplate).WithName("PublishTemplate").TakesBody<TemplateBody>();
        shop.MapDelete("/templates/{templateName}", RetireTemplate).WithName("RetireTemplate");
        shop.MapGet("/profile", ShowShop).WithName("ShowProfile").Produces<ShopStatus>();
        shop.MapPut("/profile", PutProfile).WithName("ChangeProfile").RequireScope(Scope.Account).TakesBody<ProfileBody>();
        shop.MapPut("/payoutDestinations/{provider}", PutDestination).WithName("SetPayoutDestination").RequireScope(Scope.Account).RequireRecentSignIn(PayoutsOf).TakesBody<DestinationBody>();
        shop.MapPost("/open", (string freelancer, HttpContext http, FreelancerHandling handling, CancellationToken cancel) =>
            Act(http, freelancer, new FreelancerCommand.Open(), handling, cancel)).WithName("OpenCommissions").KeepsItsAnswer();
        shop.MapPost("/close", (string freelancer, HttpContext http, FreelancerHandling handling, CancellationToken cancel) =>
            Act(http, freelancer, new FreelancerCommand.Close(), handling, cancel)).WithName("CloseCommissions").KeepsItsAnswer();

        // A browser's form knows no PUT and no DELETE.
        shop.MapPost("/templates/{templateName}", PutTemplate).WithName("PublishTemplateForm").KeepsItsAnswer().ExcludeFromDescription();
        shop.MapPost("/templates/{templateName}/retire", RetireTemplate).WithName("RetireTemplateForm").KeepsItsAnswer().ExcludeFromDescription();
        shop.MapPost("/profile", PutProfile).WithName("ChangeProfileForm").RequireScope(Scope.Account).KeepsItsAnswer().ExcludeFromDescription();
        shop.MapPost("/payoutDestinations/{provider}", PutDestination).WithName("SetPayoutDestinationForm").RequireScope(Scope.Account).RequireRecentSignIn(PayoutsOf).KeepsItsAnswerAfterSteps().ExcludeFromDescription();
    }

    /// <summary>Where somebody sets how they are paid.</summary>
    public static string PayoutsOf(HttpContext http) => $"/freelancer/{http.GetRouteValue("freelancer")}/templates#payouts";

    private static async Task<IResult> ShowTemplates(string freelancer, HttpContext http, IDocumentStore store, CancellationToken cancel)
    {
        await using var session = store.QuerySession();
        var shop = await session.Shop(freelancer, cancel) ?? Freelancer.Initial with { Handle = freelancer };
        var templates = new Page<TemplateJson>([.. shop.Templates.Values.Select(t => TemplateJson.Of(shop, t))], null);
        return http.Negotiate(templates, _ => ShopPageOf(shop));
    }

    private static async Task<IResult> ShowShop(string freelancer, HttpContext http, IDocumentStore store, CancellationToken cancel)
    {
        await using var session = store.QuerySession();
        return await session.Shop(freelancer, cancel) is { } shop ? http.Negotiate(ShopStatus.Of(shop), _ => ShopPageOf(shop)) : Problems.Missing();
    }

    private static async Task<IResult> PutTemplate(string freelancer, string templateName, HttpContext http, FreelancerHandling handling, CancellationToken cancel)
    {
        var reading = await http.ReadBody<TemplateBody>(cancel);
        if (!reading.IsValid(out var body, out var problem))
        {
            if (reading.Faults is not { } shape)
            {
                return problem;
            }

            // One answer tells all: also which rules the rest of it breaks.
            var rules = new Faults();
            if (reading.Readable is { } readable)
            {
                TemplateRules.Check((http.Request.HasFormContentType ? readable.Tidied() : readable).ToTemplate(templateName), rules);
            }

            shape.AddRest(rules);
            if (http.AnswersForm())
            {
                return TemplateEditor.Again(freelancer, templateName, (await handling.Find(freelancer, cancel)).Templates.ContainsKey(templateName), reading.Entered, shape);
            }

            return shape.ToProblem();
        }

        var template = (http.Request.HasFormContentType ? body.Tidied() : body).ToTemplate(templateName);
        var handled = await handling.Handle(freelancer, new FreelancerCommand.PublishTemplate(template), cancel);
        if (http.AnswersForm() && FaultsOf(handled) is { } faults)
        {
            return TemplateEditor.Again(freelancer, templateName, handled.Before.Templates.ContainsKey(templateName), reading.Entered, faults);
        }

        return Answer(http, handled, () =>
        {
            var json = TemplateJson.Of(handled.After, handled.After.Templates[templateName]);
            return handled.Before.Templates.ContainsKey(templateName)
                ? TypedResults.Json(json, Json.Options)
                : TypedResults.Created($"/customer/{freelancer}/template/{templateName}", json);
        });
    }

    private static async Task<IResult> RetireTemplate(string freelancer, string templateName, HttpContext http, FreelancerHandling handling, CancellationToken cancel) =>
        Answer(http, await handling.Handle(freelancer, new FreelancerCommand.RetireTemplate(templateName), cancel), () => TypedResults.NoContent());

    private static async Task<IResult> PutProfile(string freelancer, HttpContext http, FreelancerHandling handling, AccountChanges account, CancellationToken cancel)
    {
        var reading = await http.ReadBody<ProfileBody>(cancel);
        if (!reading.IsValid(out var body, out var problem))
        {
            return http.AnswersForm() && reading.Faults is { } shape ? ShopPageOf(await handling.Find(freelancer, cancel), "profile", reading.Entered, shape) : problem;
        }

        // From tomorrow on a link for a new password goes to the new address: it would hand the account to whoever has but the open browser.
        if (!RecentSignIn.Holds(http) && (await handling.Find(freelancer, cancel)).Email != (body.Email ?? ""))
        {
            return RecentSignIn.Refusal(http, $"/freelancer/{freelancer}/profile");
        }

        // A form whose fields for papers are all empty takes them back; one without them leaves what is set.
        var billing = body.Billing is { } papers ? new BillingChange(papers.ToDetails(body.DisplayName))
            : reading.Entered.ContainsKey("billing.legalName") ? new BillingChange(null)
            : null;
        var handled = await handling.Handle(freelancer, new FreelancerCommand.ChangeProfile(body.DisplayName?.Trim() ?? "", body.Email ?? "", body.About, billing), cancel, (session, before, after) =>
            before.Email == after.Email ? Task.CompletedTask : account.Tell(session, http.Caller()!.AccountId, AccountLetter.AddressChanged));
        return http.AnswersForm() && FaultsOf(handled) is { } faults
            ? ShopPageOf(handled.Before, "profile", reading.Entered, faults)
            : Answer(http, handled, () => TypedResults.Json(ShopStatus.Of(handled.After), Json.Options));
    }

    private static async Task<IResult> PutDestination(
        string freelancer, string provider, HttpContext http, FreelancerHandling handling, AccountChanges account, IOutbox outbox, CancellationToken cancel)
    {
        var reading = await http.ReadBody<DestinationBody>(cancel);
        if (!reading.IsValid(out var body, out var problem))
        {
            return http.AnswersForm() && reading.Faults is { } shape ? ShopPageOf(await handling.Find(freelancer, cancel), provider, reading.Entered, shape) : problem;
        }

        var handled = await handling.Handle(freelancer, new FreelancerCommand.SetPayoutDestination(provider, body.Destination, body.Manual), cancel, async (session, _, _) =>
        {
            // Whoever sits at somebody's open browser could have the money sent elsewhere: the freelancer hears of it.
            await account.Tell(session, http.Caller()!.AccountId, AccountLetter.PayoutDestinationSet);
            // Payouts that waited for a destination go now, instead of at their next scheduled look.
            await outbox.PublishAsync(new RingWaitingPayouts(freelancer, provider));
        });
        return http.AnswersForm() && FaultsOf(handled) is { } faults
            ? ShopPageOf(handled.Before, provider, reading.Entered, faults)
            : Answer(http, handled, () => TypedResults.Json(ShopStatus.Of(handled.After), Json.Options));
    }

    private static async Task<IResult> Act(HttpContext http, string freelancer, FreelancerCommand command, FreelancerHandling handling, CancellationToken cancel)
    {
        var handled = await handling.Handle(freelancer, command, cancel);
        return Answer(http, handled, () => TypedResults.Json(ShopStatus.Of(handled.After), Json.Options));
    }

    private static IResult Answer(HttpContext http, ShopHandled handled, Func<IResult> success)
    {
        if (handled.Decision.Refusal is { } refusal)
        {
            return refusal.ToProblem();
        }

        if (handled.Position is { } position)
        {
            http.AnswerPosition(position);
        }

        return http.Done($"/freelancer/{handled.After.Handle}/templates", success());
    }

    internal static RazorComponentResult ShopPageOf(Freelancer shop) =>
        new RazorComponentResult<ShopPage>(new { Model = ShopStatus.Of(shop), Providers = PaymentProviders.Invoicing });

    // The page again, with what was typed into one of its forms and that form's faults.
    internal static RazorComponentResult ShopPageOf(Freelancer shop, string form, IReadOnlyDictionary<string, string> entered, Faults faults) =>
        new RazorComponentResult<ShopPage>(new { Model = ShopStatus.Of(shop), Providers = PaymentProviders.Invoicing, Form = form, Entered = entered, Faults = faults })
        {
            StatusCode = StatusCodes.Status422UnprocessableEntity,
        };

    private static Faults? FaultsOf(ShopHandled handled)
    {
        if (handled.Decision.Refusal?.Fields is not { Count: > 0 } fields)
        {
            return null;
        }

        var faults = new Faults();
        foreach (var (field, messages) in fields)
        {
            foreach (var message in messages)
            {
                faults.Add(field, message);
            }
        }

        return faults;
    }
}
