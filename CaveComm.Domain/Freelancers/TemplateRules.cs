using System.Text.RegularExpressions;
using CaveComm.Domain.Commissions;
using CaveComm.Domain.Payments;

namespace CaveComm.Domain.Freelancers;

/// <summary>What a template may say.</summary>
public static partial class TemplateRules
{
    public const int MostQuestions = 50;
    public const int MostDueDays = 365;

    public static void Check(Template template, Faults faults)
    {
        if (!Name().IsMatch(template.Name ?? ""))
        {
            faults.Add("templateName", "1 to 64 small letters, digits and hyphens.");
        }

        faults.RequireLine("title", template.Title, 200);
        faults.RequireText("description", template.Description, 20_000);
        faults.LimitText("termsOfService", template.TermsOfService, 50_000);
        CheckPrice("price", template.Price, faults);
        CheckProviders(template, faults);
        CheckQuestions(template.Questions, faults);

        if (template.Slots is < 1 or > 10_000)
        {
            faults.Add("slots", "From 1 to 10000, or leave it out for no limit.");
        }

        if (template.DueDays is < 1 or > MostDueDays)
        {
            faults.Add("dueDays", $"From 1 to {MostDueDays} days.");
        }
    }

    /// <summary>In minor units. More than any provider takes, and so little that millions of them can be summed up: one price must not stop a ledger.</summary>
    private const long HighestPrice = 1_000_000_000_000;

    /// <summary>A price is above zero and in a currency that CaveComm knows.</summary>
    public static void CheckPrice(string field, Money price, Faults faults)
    {
        if (price.Currency is null || !Currencies.IsKnown(price.Currency))
        {
            faults.Add(field, "A price such as {\"amount\":\"120.00\",\"currency\":\"EUR\"}.");
        }
        else if (!price.IsPositive)
        {
            faults.Add($"{field}.amount", "More than zero.");
        }
        else if (price.Minor > HighestPrice)
        {
            faults.Add($"{field}.amount", $"At most {new Money(HighestPrice, price.Currency).ToDecimalString()}.");
        }
    }

    /// <summary>Whether publishing it again would change nothing.</summary>
    public static bool SaysTheSame(Template left, Template right) =>
        left with { Version = 0, Providers = [], Questions = [] } == right with { Version = 0, Providers = [], Questions = [] }
        && left.Providers.SequenceEqual(right.Providers)
        && left.Questions.Count == right.Questions.Count
        && left.Questions.Zip(right.Questions).All(pair =>
            pair.First with { Options = null } == pair.Second with { Options = null } && (pair.First.Options ?? []).SequenceEqual(pair.Second.Options ?? []));

    private static void CheckProviders(Template template, Faults faults)
    {
        if (template.Providers.Count == 0)
        {
            faults.Add("providers", "Name at least one of: stripe, btcpay.");
        }

        foreach (var unknown in template.Providers.Except(PaymentProviders.Invoicing))
        {
            faults.Add("providers", $"'{unknown}' is no payment provider; use stripe or btcpay.");
        }

        if (template.Providers.Distinct().Count() != template.Providers.Count)
        {
            faults.Add("providers", "Each provider once.");
        }

        if (template.Price.Currency == "BTC" && template.Providers.Contains(PaymentProviders.Stripe))
        {
            faults.Add("providers", "Stripe takes no BTC; offer btcpay alone, or price it in another currency.");
        }
    }

    private static void CheckQuestions(IReadOnlyList<Question> questions, Faults faults)
    {
        if (questions.Count > MostQuestions)
        {
            faults.Add("questions", $"At most {MostQuestions} questions.");
        }

        var seen = new HashSet<string>(StringComparer.Ordinal);
        for (var i = 0; i < questions.Count; i++)
        {
            var question = questions[i];
            var field = $"questions[{i}]";
            if (!QuestionId().IsMatch(question.Id ?? ""))
            {
                faults.Add($"{field}.id", "1 to 64 letters, digits, hyphens and underscores.");
            }
            else if (!seen.Add(question.Id!))
            {
                faults.Add($"{field}.id", "Each id once.");
            }

            faults.RequireText($"{field}.label", question.Label, 300);
            var options = question.Options ?? [];
            if (question.Kind == QuestionKind.Choice)
            {
                if (options.Count is < 1 or > 100 || options.Any(string.IsNullOrWhiteSpace) || options.Any(o => o.Length > 200 || o.Any(char.IsControl)) || options.Distinct().Count() != options.Count)
                {
                    faults.Add($"{field}.options", "1 to 100 different choices of at most 200 characters.");
                }
            }
            else if (options.Count > 0)
            {
                faults.Add($"{field}.options", "Only a choice has options.");
            }
        }
    }

    [GeneratedRegex(@"^[a-z0-9-]{1,64}\z", RegexOptions.CultureInvariant)]
    private static partial Regex Name();

    [GeneratedRegex(@"^[A-Za-z0-9_-]{1,64}\z", RegexOptions.CultureInvariant)]
    private static partial Regex QuestionId();
}
