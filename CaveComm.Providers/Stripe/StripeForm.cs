using System.Collections;
using System.Globalization;
using System.Text;

namespace CaveComm.Providers.Stripe;

/// <summary>Parameters in Stripe's form encoding: <c>metadata[commission_id]=…</c>, <c>items[0][price]=…</c> (contracts/stripe.md §1).</summary>
/// <remarks>Null leaves a parameter out. An empty text is sent, and would unset the field at Stripe.</remarks>
internal sealed class StripeForm : IEnumerable<KeyValuePair<string, object?>>
{
    private readonly List<KeyValuePair<string, object?>> fields = [];

    /// <summary>Text, whole number, bool, time, a nested form, or a list of these.</summary>
    public object? this[string name]
    {
        set => fields.Add(new(name, value));
    }

    public string Encode()
    {
        var text = new StringBuilder();
        foreach (var (name, value) in Flatten())
        {
            text.Append(text.Length == 0 ? "" : "&").Append(Uri.EscapeDataString(name)).Append('=').Append(Uri.EscapeDataString(value));
        }

        return text.ToString();
    }

    /// <summary>The pairs as they go over the wire, before escaping.</summary>
    public IEnumerable<(string Name, string Value)> Flatten() => fields.SelectMany(field => Flatten(field.Key, field.Value));

    public IEnumerator<KeyValuePair<string, object?>> GetEnumerator() => fields.GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    private static IEnumerable<(string Name, string Value)> Flatten(string name, object? value) => value switch
    {
        null => [],
        string text => [(name, text)],
        bool flag => [(name, flag ? "true" : "false")],
        int or long => [(name, ((IFormattable)value).ToString(null, CultureInfo.InvariantCulture))],
        DateTimeOffset time => [(name, time.ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture))],
        StripeForm nested => nested.fields.SelectMany(field => Flatten($"{name}[{field.Key}]", field.Value)),
        IEnumerable list => list.Cast<object?>().SelectMany((item, index) => Flatten($"{name}[{index}]", item)),
        _ => throw new ArgumentException($"Stripe's form has no encoding for {value.GetType().Name} ({name}).", nameof(value)),
    };
}
