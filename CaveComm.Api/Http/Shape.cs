using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization.Metadata;
using CaveComm.Domain;

namespace CaveComm.Api.Http;

/// <summary>Compares JSON with the record that it shall become and names every fault, where the serializer would stop at the first.</summary>
internal static class Shape
{
    public static void Check(JsonNode? node, JsonTypeInfo type, Faults faults) => Check(node, type, "", faults);

    private static void Check(JsonNode? node, JsonTypeInfo type, string path, Faults faults)
    {
        var bare = Nullable.GetUnderlyingType(type.Type) ?? type.Type;
        if (bare == typeof(Money))
        {
            MoneyJsonConverter.Read(node, path, faults);
            return;
        }

        if (bare != type.Type)
        {
            type = type.Options.GetTypeInfo(bare);
        }

        switch (type.Kind)
        {
            case JsonTypeInfoKind.Object when node is JsonObject it:
                CheckObject(it, type, path, faults);
                break;
            case JsonTypeInfoKind.Object:
                faults.Add(path, "must be an object.");
                break;
            case JsonTypeInfoKind.Enumerable when node is JsonArray items:
                for (var index = 0; index < items.Count; index++)
                {
                    CheckElement(items[index], type, $"{path}[{index}]", faults);
                }

                break;
            case JsonTypeInfoKind.Enumerable:
                faults.Add(path, "must be a list.");
                break;
            case JsonTypeInfoKind.Dictionary when node is JsonObject entries:
                foreach (var (name, value) in entries)
                {
                    CheckElement(value, type, FaultProblems.Join(path, name), faults);
                }

                break;
            case JsonTypeInfoKind.Dictionary:
                faults.Add(path, "must be an object.");
                break;
            default:
                CheckLeaf(node, bare, path, faults);
                break;
        }
    }

    private static void CheckObject(JsonObject it, JsonTypeInfo type, string path, Faults faults)
    {
        foreach (var (name, _) in it.Where(sent => !type.Properties.Any(known => known.Name == sent.Key && CanBeSent(known))))
        {
            faults.Add(FaultProblems.Join(path, name), "is not known here.");
        }

        foreach (var property in type.Properties.Where(CanBeSent))
        {
            var field = FaultProblems.Join(path, property.Name);
            if (it.TryGetPropertyValue(property.Name, out var value) && value is not null)
            {
                Check(value, type.Options.GetTypeInfo(property.PropertyType), field, faults);
            }
            else if (IsRequired(property, sentAsNull: it.ContainsKey(property.Name)))
            {
                faults.Add(field, "is required.");
            }
        }
    }

    private static void CheckElement(JsonNode? value, JsonTypeInfo type, string path, Faults faults)
    {
        var element = type.ElementType!;
        if (value is not null)
        {
            Check(value, type.Options.GetTypeInfo(element), path, faults);
        }
        else if (element != typeof(JsonElement) && element != typeof(object) && !typeof(JsonNode).IsAssignableFrom(element) && Nullable.GetUnderlyingType(element) is null)
        {
            faults.Add(path, "must not be null.");
        }
    }

    private static bool CanBeSent(JsonPropertyInfo property) => property.Set is not null || property.AssociatedParameter is not null;

    private static bool IsRequired(JsonPropertyInfo property, bool sentAsNull)
    {
        var canBeNull = property.PropertyType.IsValueType
            ? Nullable.GetUnderlyingType(property.PropertyType) is not null || property.PropertyType == typeof(JsonElement)
            : property.AssociatedParameter?.IsNullable ?? property.IsSetNullable;
        return sentAsNull
            ? !canBeNull
            : property.IsRequired || property.AssociatedParameter is { HasDefaultValue: false, IsNullable: false } parameter
                && Nullable.GetUnderlyingType(parameter.ParameterType) is null;
    }

    private static void CheckLeaf(JsonNode? node, Type type, string path, Faults faults)
    {
        try
        {
            node.Deserialize(type, Json.Options);
        }
        catch (JsonException)
        {
            faults.Add(path, $"must be {Describe(type)}.");
        }
    }

    private static string Describe(Type type) => type switch
    {
        _ when type == typeof(string) => "text",
        _ when type == typeof(bool) => "true or false",
        _ when type == typeof(int) || type == typeof(long) || type == typeof(short) => "a whole number in range",
        _ when type == typeof(decimal) || type == typeof(double) => "a number",
        _ when type == typeof(Guid) => "an id such as \"0198c0de-0000-7000-8000-000000000000\"",
        _ when type == typeof(DateTimeOffset) || type == typeof(DateTime) => "a time such as \"2026-01-31T12:00:00Z\"",
        _ when type == typeof(DateOnly) => "a date such as \"2026-01-31\"",
        _ when type == typeof(Uri) => "a web address",
        { IsEnum: true } => $"one of {string.Join(", ", Enum.GetNames(type).Select(JsonNamingPolicy.CamelCase.ConvertName))}",
        _ => "of another type",
    };
}
