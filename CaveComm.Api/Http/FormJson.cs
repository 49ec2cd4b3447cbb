using System.Globalization;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization.Metadata;

namespace CaveComm.Api.Http;

/// <summary>
/// Makes the JSON out of a form that a program would have sent: <c>price.amount</c> and <c>answers[q1]</c> nest, a repeated name is a list, and
/// text becomes a number or a truth where the record has one.
/// </summary>
internal static class FormJson
{
    private const int MostLevels = 8;

    /// <returns>The fault, or null.</returns>
    public static string? Build(IReadOnlyList<KeyValuePair<string, string>> fields, JsonTypeInfo type, out JsonNode? node)
    {
        var root = new JsonObject();
        node = null;
        foreach (var (name, value) in fields)
        {
            if (name.Contains('\0', StringComparison.Ordinal) || value.Contains('\0', StringComparison.Ordinal))
            {
                return "The form holds a NUL character, which cannot be stored.";
            }

            var path = name.Replace("]", "", StringComparison.Ordinal).Split(['.', '[']);
            var isList = path.Length > 1 && path[^1].Length == 0; // tags[]
            if (isList)
            {
                path = path[..^1];
            }

            if (path.Length > MostLevels || path.Any(it => it.Length == 0))
            {
                return $"The form's field name '{Short(name)}' cannot be read.";
            }

            if (!Put(root, path, value))
            {
                return $"The form uses '{Short(name)}' both as a field and as a group of fields.";
            }
        }

        node = Fit(root, type);
        return null;
    }

    private static bool Put(JsonObject root, string[] path, string value)
    {
        var at = root;
        foreach (var step in path[..^1])
        {
            if (!at.TryGetPropertyValue(step, out var next))
            {
                at[step] = next = new JsonObject();
            }

            if (next is not JsonObject group)
            {
                return false;
            }

            at = group;
        }

        switch (at.TryGetPropertyValue(path[^1], out var there), there)
        {
            case (false, _):
                at[path[^1]] = value;
                return true;
            case (_, JsonArray several):
                several.Add(value);
                return true;
            case (_, JsonValue one):
                at[path[^1]] = new JsonArray(one.DeepClone(), value);
                return true;
            default:
                return false;
        }
    }

    /// <summary>Null stands for "not sent": an empty field where the record takes null.</summary>
    private static JsonNode? Fit(JsonNode? node, JsonTypeInfo type)
    {
        var bare = Nullable.GetUnderlyingType(type.Type) ?? type.Type;
        if (bare == typeof(Domain.Money))
        {
            return node is JsonObject sum && sum.All(it => IsBlank(it.Value)) ? null : node;
        }

        if (bare != type.Type)
        {
            type = type.Options.GetTypeInfo(bare);
        }

        return (type.Kind, node) switch
        {
            (JsonTypeInfoKind.Object, JsonObject it) => FitObject(it, type),
            (JsonTypeInfoKind.Dictionary, JsonObject it) => FitEntries(it, type.Options.GetTypeInfo(type.ElementType!)),
            (JsonTypeInfoKind.Enumerable, JsonObject it) when it.All(item => int.TryParse(item.Key, NumberStyles.None, CultureInfo.InvariantCulture, out _)) =>
                List(it.OrderBy(item => int.Parse(item.Key, CultureInfo.InvariantCulture)).Select(item => item.Value), type),
            (JsonTypeInfoKind.Enumerable, JsonArray several) => List(several.Where(it => !IsBlank(it)), type),
            (JsonTypeInfoKind.Enumerable, JsonValue one) => List(IsBlank(one) ? [] : [one], type),
            (JsonTypeInfoKind.None, JsonArray several) when bare == typeof(bool) => Leaf(several[^1]!.GetValue<string>(), bare),
            (JsonTypeInfoKind.None, JsonValue one) => Leaf(one.GetValue<string>(), bare),
            _ => node,
        };
    }

    private static JsonObject FitObject(JsonObject it, JsonTypeInfo type)
    {
        foreach (var property in type.Properties.Where(property => it.ContainsKey(property.Name)))
        {
            var value = it[property.Name];
            var takesNull = Nullable.GetUnderlyingType(property.PropertyType) is not null
                || (!property.PropertyType.IsValueType && (property.AssociatedParameter?.IsNullable ?? property.IsSetNullable));
            var leaveOut = IsBlank(value) && (takesNull || property.PropertyType.IsValueType);
            it.Remove(property.Name);
            if (!leaveOut && Fit(value, type.Options.GetTypeInfo(property.PropertyType)) is { } fitted)
            {
                it[property.Name] = fitted;
            }
        }

        return it;
    }

    private static JsonObject FitEntries(JsonObject it, JsonTypeInfo element)
    {
        foreach (var (name, value) in it.ToList())
        {
            it.Remove(name);
            it[name] = Fit(value, element);
        }

        return it;
    }

    private static JsonArray List(IEnumerable<JsonNode?> items, JsonTypeInfo type)
    {
        var element = type.Options.GetTypeInfo(type.ElementType!);
        return [.. items.ToList().Select(it => Fit(it?.DeepClone(), element))];
    }

    /// <summary>What does not read stays text, and the shape check names it.</summary>
    private static JsonValue Leaf(string text, Type type)
    {
        if (type == typeof(bool))
        {
            return text.Trim().ToUpperInvariant() switch
            {
                "ON" or "TRUE" or "1" or "YES" => JsonValue.Create(true),
                "OFF" or "FALSE" or "0" or "NO" => JsonValue.Create(false),
                _ => JsonValue.Create(text),
            };
        }

        var isNumber = type == typeof(int) || type == typeof(long) || type == typeof(short) || type == typeof(decimal) || type == typeof(double);
        return isNumber && decimal.TryParse(text.Trim(), NumberStyles.AllowLeadingSign | NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var number)
            ? JsonValue.Create(number)
            : JsonValue.Create(text);
    }

    private static bool IsBlank(JsonNode? node) => node switch
    {
        null => true,
        JsonValue value => value.GetValue<string>().Length == 0,
        JsonObject group => group.Count > 0 && group.All(it => IsBlank(it.Value)),
        JsonArray several => several.All(IsBlank),
        _ => false,
    };

    private static string Short(string name) => name.Length <= 60 ? name : name[..60] + "…";
}
