using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace CaveComm.Tests.Providers;

/// <summary>A provider's published OpenAPI document, as a judge of the requests that we send.</summary>
/// <remarks>Only what these two documents use: references, allOf, anyOf, properties, required, enums and plain types.</remarks>
internal sealed class OpenApiDocument(JsonObject root)
{
    public static OpenApiDocument Load(string file) =>
        new(JsonNode.Parse(File.ReadAllText(Path.Combine(Contracts.Folder(), "openapi", file)))!.AsObject());

    /// <summary>What is wrong with a request; empty when it is valid.</summary>
    public IReadOnlyList<string> Faults(SentRequest request)
    {
        var operation = root["paths"]!.AsObject()
            .Where(path => Matches(path.Key, request.Path) && path.Value![request.Method.ToLowerInvariant()] is not null)
            .OrderBy(path => path.Key.Count(sign => sign == '{'))
            .Select(path => path.Value![request.Method.ToLowerInvariant()]!.AsObject())
            .FirstOrDefault();
        if (operation is null)
        {
            return [$"There is no {request.Address}."];
        }

        var faults = new List<string>();
        Query(operation, request, faults);
        Body(operation, request, faults);
        return [.. faults.Select(fault => $"{request.Address}: {fault}")];
    }

    /// <summary>What is wrong with something that a look-alike says, by the name of its schema; empty when it is valid.</summary>
    public IReadOnlyList<string> Faults(JsonNode said, string schema) =>
        Tried(said, root["components"]!["schemas"]![schema]!, schema, isText: false);

    private void Query(JsonObject operation, SentRequest request, List<string> faults)
    {
        var parameters = (operation["parameters"]?.AsArray() ?? []).Select(parameter => Resolve(parameter!)).Where(it => (string?)it["in"] == "query").ToList();
        var asked = Tree(request.Asked);
        foreach (var (name, value) in asked)
        {
            if (parameters.Find(it => (string?)it["name"] == name) is { } parameter)
            {
                // A parameter that may be repeated may be given once.
                var schema = Resolve(parameter["schema"]!);
                Check(value, value is JsonValue && (string?)schema["type"] == "array" ? schema["items"]! : schema, name, isText: true, faults);
            }
            else
            {
                faults.Add($"there is no query parameter {name}");
            }
        }

        faults.AddRange(parameters.Where(it => (bool?)it["required"] == true && !asked.ContainsKey((string)it["name"]!)).Select(it => $"{it["name"]} is required"));
    }

    private void Body(JsonObject operation, SentRequest request, List<string> faults)
    {
        if (operation["requestBody"]?["content"] is not JsonObject content)
        {
            if (request.Body != "")
            {
                faults.Add("no body is wanted");
            }

            return;
        }

        var sent = request.Headers.GetValueOrDefault("Content-Type", "").Split(';')[0];
        if (content[sent]?["schema"] is { } schema)
        {
            var isForm = sent == "application/x-www-form-urlencoded";
            Check(isForm ? Tree(request.Form) : JsonNode.Parse(request.Body), schema, "body", isForm, faults);
        }
        else if (request.Body != "" || (bool?)operation["requestBody"]!["required"] == true)
        {
            faults.Add($"the body is not to be {sent}");
        }
    }

    /// <param name="isText">Forms and queries carry everything as text.</param>
    private void Check(JsonNode? value, JsonNode schemaNode, string at, bool isText, List<string> faults)
    {
        var schema = Resolve(schemaNode);
        var takesAnything = schema["additionalProperties"] is JsonValue open && open.GetValue<bool>();
        if (!takesAnything && schema["anyOf"] is JsonArray choices && choices.All(choice => Tried(value, choice!, at, isText).Count > 0))
        {
            faults.AddRange(Tried(value, choices[0]!, at, isText));
        }

        var parts = Parts(schema).ToList();
        if (value is JsonObject given)
        {
            Members(given, parts, at, isText, faults);
            return;
        }

        foreach (var part in parts)
        {
            if (value is JsonArray list && part["items"] is { } items)
            {
                foreach (var item in list)
                {
                    Check(item, items, $"{at}[]", isText, faults);
                }
            }

            if (part["enum"] is JsonArray allowed && !allowed.Any(it => (string?)it == value?.ToString()))
            {
                faults.Add($"{at} is {value}, which is not one of {allowed.ToJsonString()}");
            }

            if ((string?)part["type"] is { } type && !Fits(value, type, isText))
            {
                faults.Add($"{at} is {value?.ToJsonString() ?? "null"}, which is no {type}");
            }
        }
    }

    private void Members(JsonObject given, List<JsonObject> parts, string at, bool isText, List<string> faults)
    {
        if (parts.All(part => part["properties"] is null && part["additionalProperties"] is null && (string?)part["type"] is not (null or "object")))
        {
            faults.Add($"{at} is no object");
        }

        var isOpen = parts.Any(part => part["additionalProperties"] is JsonObject || part["additionalProperties"] is JsonValue any && any.GetValue<bool>())
            || parts.All(part => part["properties"] is null);
        foreach (var (name, member) in given)
        {
            var known = parts.Select(part => part["properties"]?[name]).FirstOrDefault(schema => schema is not null)
                ?? parts.Select(part => part["additionalProperties"]).FirstOrDefault(schema => schema is JsonObject);
            if (known is not null)
            {
                Check(member, known, $"{at}.{name}", isText, faults);
            }
            else if (!isOpen)
            {
                faults.Add($"{at} has no {name}");
            }
        }

        faults.AddRange(parts.SelectMany(part => part["required"]?.AsArray() ?? [])
            .Select(name => (string)name!).Where(name => !given.ContainsKey(name)).Select(name => $"{at}.{name} is required"));
    }

    private List<string> Tried(JsonNode? value, JsonNode schema, string at, bool isText)
    {
        var faults = new List<string>();
        Check(value, schema, at, isText, faults);
        return faults;
    }

    private IEnumerable<JsonObject> Parts(JsonObject schema) =>
        (schema["allOf"]?.AsArray() ?? []).SelectMany(part => Parts(Resolve(part!))).Prepend(schema);

    private JsonObject Resolve(JsonNode node)
    {
        while (node["$ref"] is { } reference)
        {
            node = ((string)reference!)[2..].Split('/').Aggregate((JsonNode)root, (found, name) => found[name]!);
        }

        return node.AsObject();
    }

    private static bool Fits(JsonNode? value, string type, bool isText) => (type, value?.GetValueKind()) switch
    {
        ("string", JsonValueKind.String) => true,
        ("integer", JsonValueKind.String) => isText && long.TryParse(value!.ToString(), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out _),
        ("number", JsonValueKind.String) => isText && decimal.TryParse(value!.ToString(), CultureInfo.InvariantCulture, out _),
        ("boolean", JsonValueKind.String) => isText && value!.ToString() is "true" or "false",
        ("integer" or "number", JsonValueKind.Number) => true,
        ("boolean", JsonValueKind.True or JsonValueKind.False) => true,
        ("array", JsonValueKind.Array) => true,
        _ => false,
    };

    private static bool Matches(string template, string path)
    {
        var (wanted, given) = (template.Split('/'), path.Split('/'));
        return wanted.Length == given.Length && wanted.Zip(given).All(pair => pair.First.StartsWith('{') || pair.First == pair.Second);
    }

    /// <summary><c>a[b][0]=c</c> as nested objects and lists.</summary>
    private static JsonObject Tree(IReadOnlyList<string> pairs)
    {
        var tree = new JsonObject();
        foreach (var pair in pairs)
        {
            var (name, value) = (pair[..pair.IndexOf('=')], pair[(pair.IndexOf('=') + 1)..]);
            var steps = name.Replace("]", "").Split('[');
            JsonNode at = tree;
            for (var step = 0; step < steps.Length; step++)
            {
                JsonNode next = step == steps.Length - 1 ? JsonValue.Create(value)! : steps[step + 1] == "0" || at[steps[step]] is JsonArray ? new JsonArray() : new JsonObject();
                if (at is JsonArray list)
                {
                    list.Add(next);
                }
                else
                {
                    at.AsObject().TryAdd(steps[step], next);
                    next = at[steps[step]]!;
                }

                at = next;
            }
        }

        return tree;
    }
}
