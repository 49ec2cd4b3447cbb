using System.Globalization;
using CaveComm.Api.Http;
using CaveComm.Api.Identity;
using CaveComm.Domain;
using CaveComm.Domain.Commissions;
using CaveComm.Domain.Freelancers;
using CaveComm.Domain.Payments;
using Microsoft.AspNetCore.Http.HttpResults;

namespace CaveComm.Api.Freelancers;

/// <summary>What the form for writing a template shows.</summary>
/// <param name="Entered">The form's fields: as they were typed, or as the template says.</param>
public sealed record TemplateEditorModel(string Freelancer, string Name, bool Exists, IReadOnlyDictionary<string, string> Entered, Faults? Faults);

/// <summary>The form for writing a template; it is sent to the template's own address.</summary>
internal static class TemplateEditor
{
    public static void Map(IEndpointRouteBuilder routes) => routes
        .MapGet("/freelancer/{freelancer}/templateEditor", Show)
        .WithName("EditTemplateForm")
        .RequireFreelancer()
        .ExcludeFromDescription();

    /// <summary>The form again, with what was typed and its faults at the fields.</summary>
    public static RazorComponentResult Again(string freelancer, string name, bool exists, IReadOnlyDictionary<string, string> entered, Faults faults) =>
        Page(new TemplateEditorModel(freelancer, name, exists, WithoutGaps(entered), faults), StatusCodes.Status422UnprocessableEntity);

    /// <summary>What a form leaves to us: questions without a text are no questions, choices stand one on each line, and ids are given.</summary>
    public static TemplateBody Tidied(this TemplateBody it)
    {
        var asked = (it.Questions ?? []).Where(q => !string.IsNullOrWhiteSpace(q.Label)).ToList();
        var taken = asked.Select(q => q.Id).ToHashSet(StringComparer.Ordinal);
        return it with { Questions = [.. asked.Select(q => q with { Id = q.Id ?? Fresh(), Label = q.Label!.Trim(), Options = Choices(q) })] };

        string Fresh()
        {
            var number = 1;
            while (!taken.Add(string.Create(CultureInfo.InvariantCulture, $"q{number}")))
            {
                number++;
            }

            return string.Create(CultureInfo.InvariantCulture, $"q{number}");
        }
    }

    private static async Task<IResult> Show(string freelancer, string? name, HttpContext http, IDocumentStore store, CancellationToken cancel)
    {
        await using var session = store.QuerySession();
        var shop = await session.Shop(freelancer, cancel) ?? Freelancer.Initial with { Handle = freelancer };
        var template = name is null ? null : shop.Templates.GetValueOrDefault(name);
        var entered = template is null ? Blank : Fields(template);
        return http.Negotiate(entered, it => Page(new TemplateEditorModel(freelancer, name ?? "", template is not null, it, null), StatusCodes.Status200OK));
    }

    private static readonly Dictionary<string, string> Blank = Providers([PaymentProviders.Stripe]).ToDictionary();

    private static Dictionary<string, string> Fields(Template it)
    {
        var fields = new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["title"] = it.Title,
            ["description"] = it.Description,
            ["price.amount"] = it.Price.ToDecimalString(),
            ["price.currency"] = it.Price.Currency,
            ["paymentTerms"] = Camel(it.PaymentTerms),
            ["termsOfService"] = it.TermsOfService ?? "",
            ["slots"] = it.Slots?.ToString(CultureInfo.InvariantCulture) ?? "",
            ["dueDays"] = it.DueDays.ToString(CultureInfo.InvariantCulture),
        };
        foreach (var (field, value) in Providers(it.Providers))
        {
            fields[field] = value;
        }

        foreach (var (question, row) in it.Questions.Select((question, row) => (question, row)))
        {
            fields[$"questions[{row}].id"] = question.Id;
            fields[$"questions[{row}].label"] = question.Label;
            fields[$"questions[{row}].kind"] = Camel(question.Kind);
            fields[$"questions[{row}].required"] = question.Required ? "true" : "false";
            fields[$"questions[{row}].options"] = string.Join('\n', question.Options ?? []);
        }

        return fields;
    }

    // The rows as the faults count them: those without a text are gone.
    private static Dictionary<string, string> WithoutGaps(IReadOnlyDictionary<string, string> entered)
    {
        var fields = entered.Where(it => !it.Key.StartsWith("questions[", StringComparison.Ordinal)).ToDictionary(StringComparer.Ordinal);
        var rows = Enumerable.Range(0, TemplateRules.MostQuestions).Where(row => !string.IsNullOrWhiteSpace(entered.GetValueOrDefault($"questions[{row}].label")));
        foreach (var (from, to) in rows.Select((from, to) => (from, to)))
        {
            foreach (var part in (string[])["id", "label", "kind", "required", "options"])
            {
                if (entered.TryGetValue($"questions[{from}].{part}", out var value))
                {
                    fields[$"questions[{to}].{part}"] = value;
                }
            }
        }

        return fields;
    }

    private static string[]? Choices(QuestionBody question) => question.Kind == QuestionKind.Choice
        ? [.. (question.Options ?? []).SelectMany(it => it.Split('\n', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))]
        : null;

    private static IEnumerable<KeyValuePair<string, string>> Providers(IReadOnlyList<string> chosen) =>
        PaymentProviders.Invoicing.Select((provider, index) => KeyValuePair.Create($"providers[{index}]", provider)).Where(it => chosen.Contains(it.Value));

    private static string Camel<T>(T value)
        where T : struct, Enum => System.Text.Json.JsonNamingPolicy.CamelCase.ConvertName(value.ToString());

    private static RazorComponentResult Page(TemplateEditorModel model, int status) =>
        new RazorComponentResult<TemplateEditorPage>(new { Model = model }) { StatusCode = status };
}
