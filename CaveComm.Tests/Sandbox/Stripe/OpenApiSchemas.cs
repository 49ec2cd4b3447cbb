using System.Text.Json;
using System.Text.Json.Nodes;
using CaveComm.Tests.Providers;

namespace CaveComm.Tests.Sandbox.Stripe;

/// <summary>Checks JSON against the schemas of an OpenAPI document, as far as the provider's documents use them.</summary>
internal sealed class OpenApiSchemas(JsonObject document)
{
    /// <summary>Stripe's document; the test is skipped where there is none.</summary>
    public static OpenApiSchemas OfStripe() => new(JsonNode.Parse(
        File.ReadAllText(Path.Combine(Contracts.Folder(), "openapi", "stripe-2026-07-29.dahlia.subset.json")))!.AsObject());

    /// <summary>The schema of a kind of object (<c>checkout.session</c>, <c>invoiceitem</c>), or null where the document leaves it out.</summary>
    public string? NameOf(string kind)
    {
        static string Word(string word) => char.ToUpperInvariant(word[0]) + word[1..];
        var name = kind == "invoiceitem" ? "InvoiceItem" : string.Join('.', kind.Split('.').Select(part => string.Concat(part.Split('_').Select(Word))));
        return document["components"]!["schemas"]![name] is null ? null : name;
    }

    /// <returns>What is wrong, each with its place; empty when nothing is.</returns>
    public IReadOnlyList<string> Check(string method, string path, JsonNode? answer)
    {
        var schema = document["paths"]![path]![method]!["responses"]!["200"]!["content"]!["application/json"]!["schema"]!;
        var faults = new List<string>();
        Check(schema.AsObject(), answer, "$", faults);
        return faults;
    }

    public IReadOnlyList<string> CheckSchema(string name, JsonNode? value)
    {
        var faults = new List<string>();
        Check(document["components"]!["schemas"]![name]!.AsObject(), value, "$", faults);
        return faults;
    }

    private void Check(JsonObject schema, JsonNode? value, string at, List<string> faults)
    {
        if (value is null)
        {
            // Where the subset leaves a type out, it says nothing of whether null is allowed either.
            var isCut = schema["x-omitted-here"] is not null;
            if ((bool?)schema["nullable"] is not true && !isCut && (schema["type"] ?? schema["$ref"]) is not null)
            {
                faults.Add($"{at} is null");
            }

            return;
        }

        // A field that an id stands for may also hold the object, once it is expanded.
        if (schema["x-expandable-to"] is not null && value is JsonObject)
        {
            return;
        }

        if ((string?)schema["$ref"] is { } reference)
        {
            Check(document["components"]!["schemas"]![reference.Split('/')[^1]]!.AsObject(), value, at, faults);
            return;
        }

        if (schema["allOf"] is JsonArray all)
        {
            foreach (var part in all)
            {
                Check(part!.AsObject(), value, at, faults);
            }

            return;
        }

        if ((schema["anyOf"] ?? schema["oneOf"]) is JsonArray any)
        {
            if (any.All(choice => Faults(choice!.AsObject(), value, at).Count > 0))
            {
                faults.Add($"{at} fits no variant: {value.ToJsonString()}");
            }

            return;
        }

        CheckType(schema, value, at, faults);
    }

    private List<string> Faults(JsonObject schema, JsonNode value, string at)
    {
        var faults = new List<string>();
        Check(schema, value, at, faults);
        return faults;
    }

    private void CheckType(JsonObject schema, JsonNode value, string at, List<string> faults)
    {
        var kind = value.GetValueKind();
        var fits = (string?)schema["type"] switch
        {
            "string" => kind == JsonValueKind.String,
            "integer" or "number" => kind == JsonValueKind.Number,
            "boolean" => kind is JsonValueKind.True or JsonValueKind.False,
            "array" => kind == JsonValueKind.Array,
            "object" => kind == JsonValueKind.Object,
            _ => true,
        };
        if (!fits)
        {
            faults.Add($"{at} is no {schema["type"]}: {value.ToJsonString()}");
            return;
        }

        if (schema["enum"] is JsonArray allowed && schema["x-open-enum"] is null && !allowed.Any(it => JsonNode.DeepEquals(it, value)))
        {
            faults.Add($"{at} is none of the enum: {value.ToJsonString()}");
        }

        if (value is JsonArray members && schema["items"] is JsonObject item)
        {
            for (var i = 0; i < members.Count; i++)
            {
                Check(item, members[i], $"{at}[{i}]", faults);
            }
        }
        else if (value is JsonObject fields && schema["properties"] is JsonObject properties)
        {
            foreach (var required in schema["required"]?.AsArray().Select(it => (string)it!) ?? [])
            {
                if (!fields.ContainsKey(required))
                {
                    faults.Add($"{at}.{required} is missing");
                }
            }

            foreach (var (name, field) in fields)
            {
                if (properties[name] is JsonObject known)
                {
                    Check(known, field, $"{at}.{name}", faults);
                }
                else if (schema["additionalProperties"] is null && schema["x-object"] is null)
                {
                    faults.Add($"{at}.{name} is not in the schema");
                }
            }
        }
    }
}
