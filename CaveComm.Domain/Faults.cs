namespace CaveComm.Domain;

/// <summary>Collects every fault of an input, by field, so that all are told at once.</summary>
public sealed class Faults
{
    private readonly Dictionary<string, List<string>> byField = new(StringComparer.Ordinal);

    public bool IsEmpty => byField.Count == 0;

    public IReadOnlyDictionary<string, string[]> ByField => byField.ToDictionary(pair => pair.Key, pair => pair.Value.ToArray(), StringComparer.Ordinal);

    /// <param name="field">The field's path in the JSON, such as <c>price.amount</c>; empty for the whole body.</param>
    /// <param name="fault">What is wrong, in words that can stand after "field: ".</param>
    public Faults Add(string field, string fault)
    {
        var key = string.IsNullOrEmpty(field) ? "body" : field;
        if (!byField.TryGetValue(key, out var faults))
        {
            byField[key] = faults = [];
        }

        if (!faults.Contains(fault))
        {
            faults.Add(fault);
        }

        return this;
    }

    /// <summary>Notes the fault when the rule is broken.</summary>
    public Faults Require(bool rule, string field, string fault) => rule ? this : Add(field, fault);

    /// <summary>Notes a fault when a text is missing, blank or too long.</summary>
    public void RequireText(string field, string? value, int most)
    {
        if (string.IsNullOrWhiteSpace(value))
        {
            Add(field, "This is required.");
        }
        else
        {
            LimitText(field, value, most);
        }
    }

    /// <summary>As <see cref="RequireText"/>, for what stands in one line: a name, a title. A line break in it could pass for words of our own.</summary>
    public void RequireLine(string field, string? value, int most)
    {
        RequireText(field, value, most);
        if (value is not null && IsPlainText(value) && value.Trim().Any(c => char.IsControl(c) || c is '\u2028' or '\u2029'))
        {
            Add(field, "One line, without line breaks.");
        }
    }

    /// <summary>Adds what the rules found, but for members that were told already: what has the wrong shape could not be judged.</summary>
    public Faults AddRest(Faults rules)
    {
        ArgumentNullException.ThrowIfNull(rules);
        var told = byField.Keys.Select(Member).ToHashSet(StringComparer.Ordinal);
        foreach (var (field, faults) in rules.byField.Where(it => !told.Contains(Member(it.Key))).ToList())
        {
            faults.ForEach(fault => Add(field, fault));
        }

        return this;
    }

    /// <summary>The member of the body that a field's path begins with.</summary>
    public static string Member(string field) => field.IndexOfAny(['.', '[']) is var end and > 0 ? field[..end] : field;

    /// <summary>Notes a fault when a text is too long, or holds what is no text.</summary>
    public void LimitText(string field, string? value, int most)
    {
        if (value?.Length > most)
        {
            Add(field, $"At most {most} characters.");
        }

        if (value is not null && !IsPlainText(value))
        {
            Add(field, "Plain text, without control characters.");
        }
    }

    /// <summary>Whether a text has no control characters but tabs and line breaks. PostgreSQL stores no NUL at all.</summary>
    public static bool IsPlainText(string text) => text.All(c => !char.IsControl(c) || c is '\t' or '\r' or '\n');

    public Refusal ToRefusal() => new(
        RefusalKind.Invalid,
        "invalid",
        byField.Count == 1 ? $"{byField.First().Key}: {byField.First().Value[0]}" : $"{byField.Count} fields need mending: {string.Join(", ", byField.Keys.Order(StringComparer.Ordinal))}.",
        ByField);
}
