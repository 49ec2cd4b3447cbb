using System.Globalization;
using System.Text.Json.Nodes;

namespace CaveComm.Sandbox.Stripe.Wire;

/// <summary>The parameters of a call, as form or query pairs with bracketed names: <c>items[0][price]=price_1</c>.</summary>
internal sealed class StripeParameters
{
    private readonly string within;
    private readonly IReadOnlyList<(string[] Path, string Value)> entries;

    private StripeParameters(string within, IReadOnlyList<(string[] Path, string Value)> entries)
    {
        this.within = within;
        this.entries = entries;
    }

    public IEnumerable<(string[] Path, string Value)> Entries => entries;

    public static StripeParameters Parse(IEnumerable<KeyValuePair<string, string>> pairs) =>
        new("", [.. pairs.Select(pair => (Split(pair.Key), pair.Value))]);

    /// <summary>The name as the caller wrote it, brackets and all.</summary>
    public string Name(string name) => within.Length == 0 ? name : $"{within}[{name}]";

    public bool Has(string name) => entries.Any(it => it.Path[0] == name);

    /// <summary>Whether an empty value asks to unset it.</summary>
    public bool Unsets(string name) => entries.Any(it => it.Path is [var only] && only == name && it.Value.Length == 0);

    /// <summary>Puts the given ones of these texts into an object; an empty one unsets.</summary>
    public void Copy(JsonObject into, params string[] names)
    {
        foreach (var name in names.Where(Has))
        {
            into[name] = Text(name);
        }
    }

    /// <summary>The value, or null where it is absent or empty.</summary>
    public string? Text(string name) => Value(name) is { Length: > 0 } text ? text : null;

    public string Required(string name) => Value(name) switch
    {
        null => throw StripeFault.Missing(Name(name)),
        "" => throw StripeFault.Empty(Name(name)),
        { } text => text,
    };

    public long? Integer(string name) => Value(name) switch
    {
        null => null,
        "" => throw StripeFault.Empty(Name(name)),
        { } text => long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number)
            ? number
            : throw StripeFault.NotInteger(Name(name), text),
    };

    public long RequiredInteger(string name) => Integer(name) ?? throw StripeFault.Missing(Name(name));

    public bool? Flag(string name) => Value(name) switch
    {
        null => null,
        "" => throw StripeFault.Empty(Name(name)),
        "true" => true,
        "false" => false,
        { } text => throw StripeFault.Parameter(Name(name), $"Invalid boolean: {text}"),
    };

    public string? Choice(string name, params string[] allowed) => Text(name) is not { } text || allowed.Contains(text)
        ? Text(name)
        : throw StripeFault.Parameter(Name(name), $"Invalid {Name(name)}: must be one of {string.Join(", ", allowed)}");

    /// <summary>What stands below a name: <c>recurring[interval]</c> is <c>interval</c> there.</summary>
    public StripeParameters Below(string name) => new(
        Name(name),
        [.. entries.Where(it => it.Path.Length > 1 && it.Path[0] == name).Select(it => (it.Path[1..], it.Value))]);

    /// <summary>The members of an array of objects, in the order of their numbers.</summary>
    public IReadOnlyList<StripeParameters> Members(string name)
    {
        var below = Below(name);
        return
        [
            .. below.entries.Select(it => it.Path[0]).Distinct()
                .OrderBy(index => int.TryParse(index, CultureInfo.InvariantCulture, out var number) ? number : int.MaxValue)
                .Select(below.Below),
        ];
    }

    /// <summary>The values of an array of scalars, written <c>name[]</c> or <c>name[0]</c>.</summary>
    public IReadOnlyList<string> Texts(string name) =>
        [.. entries.Where(it => it.Path is [var first, _] && first == name && it.Value.Length > 0).Select(it => it.Value)];

    /// <summary>Puts the given metadata over the present one: an empty value removes a key, an empty whole removes all.</summary>
    public JsonObject Metadata(JsonObject? present = null)
    {
        var metadata = Unsets("metadata") || present is null ? [] : present.DeepClone().AsObject();
        foreach (var (path, value) in Below("metadata").entries)
        {
            var key = path[0];
            if (key.Length > 40)
            {
                throw StripeFault.Parameter("metadata", $"Metadata keys can have up to 40 characters; '{key[..40]}…' has {key.Length}.");
            }

            if (value.Length > 500)
            {
                throw StripeFault.Parameter($"metadata[{key}]", $"Metadata values can have up to 500 characters; '{key}' has {value.Length}.");
            }

            metadata.Remove(key);
            if (value.Length > 0)
            {
                metadata[key] = value;
            }
        }

        return metadata.Count <= 50
            ? metadata
            : throw StripeFault.Parameter("metadata", $"Metadata can have up to 50 keys; there would be {metadata.Count}.");
    }

    private string? Value(string name) => entries.LastOrDefault(it => it.Path is [var only] && only == name).Value;

    private static string[] Split(string key)
    {
        var open = key.IndexOf('[', StringComparison.Ordinal);
        return open <= 0 || !key.EndsWith(']') ? [key] : [key[..open], .. key[(open + 1)..^1].Split("][")];
    }
}
