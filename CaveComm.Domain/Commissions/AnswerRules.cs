using System.Globalization;

namespace CaveComm.Domain.Commissions;

/// <summary>Checks a customer's answers against the template's questions.</summary>
public static class AnswerRules
{
    private const int MostText = 500;
    private const int MostLongText = 10_000;

    /// <summary>The answers in their canonical text; every fault is noted under <c>answers.{id}</c>.</summary>
    /// <param name="images">Ids of the image questions that a file came for; files are not among the answers.</param>
    public static IReadOnlyDictionary<string, string> Check(
        IReadOnlyList<Question> questions, IReadOnlyDictionary<string, string> answers, Faults faults, IReadOnlyCollection<string>? images = null)
    {
        var canonical = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var question in questions)
        {
            var given = answers.GetValueOrDefault(question.Id)?.Trim();
            if (string.IsNullOrEmpty(given))
            {
                if (question.Required && !(question.Kind == QuestionKind.Image && images?.Contains(question.Id) == true))
                {
                    faults.Add(Field(question.Id), $"\u201c{question.Label}\u201d needs an answer.");
                }
            }
            else if (Canonical(question, given, faults) is { } answer)
            {
                canonical.Add(question.Id, answer);
            }
        }

        foreach (var unknown in answers.Keys.Where(id => questions.All(q => q.Id != id)))
        {
            faults.Add(Field(unknown), "The template has no such question.");
        }

        return canonical;
    }

    private static string? Canonical(Question question, string given, Faults faults)
    {
        switch (question.Kind)
        {
            case QuestionKind.Text when given.Length > MostText || given.Any(char.IsControl):
                return Fault($"One line of at most {MostText} characters.");
            case QuestionKind.LongText when given.Length > MostLongText:
                return Fault($"At most {MostLongText} characters.");
            case QuestionKind.LongText when !Faults.IsPlainText(given):
                return Fault("Plain text, without control characters.");
            case QuestionKind.Choice when !(question.Options ?? []).Contains(given):
                return Fault($"Choose one of: {string.Join(", ", question.Options ?? [])}.");
            case QuestionKind.Number:
                return decimal.TryParse(given, NumberStyles.AllowLeadingSign | NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var number)
                    ? number.ToString(CultureInfo.InvariantCulture)
                    : Fault("A number, such as 12 or 3.5.");
            case QuestionKind.Date:
                return DateOnly.TryParseExact(given, "yyyy-MM-dd", CultureInfo.InvariantCulture, DateTimeStyles.None, out _) ? given : Fault("A date, such as 2026-12-24.");
            case QuestionKind.Image:
                return Fault("Images are sent as files of a multipart form.");
            default:
                return given;
        }

        string? Fault(string fault)
        {
            faults.Add(Field(question.Id), fault);
            return null;
        }
    }

    private static string Field(string questionId) => $"answers.{questionId}";
}
