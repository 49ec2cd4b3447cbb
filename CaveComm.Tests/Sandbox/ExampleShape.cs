using System.Text.Json;
using System.Text.Json.Nodes;

namespace CaveComm.Tests.Sandbox;

/// <summary>Whether something said has the shape of an example: every member that the example has, and of the same kind.</summary>
internal static class ExampleShape
{
    /// <returns>What is missing or other, each with its place; empty when nothing is.</returns>
    public static IReadOnlyList<string> Faults(JsonNode? example, JsonNode? said, string at = "$")
    {
        // Null says nothing of the kind that stands there at other times.
        if (example is null || said is null)
        {
            return [];
        }

        if (Kind(example) != Kind(said))
        {
            return [$"{at} is {Kind(said)}, not {Kind(example)}"];
        }

        return (example, said) switch
        {
            (JsonObject wanted, JsonObject has) =>
            [
                .. wanted.Where(it => !has.ContainsKey(it.Key)).Select(it => $"{at}.{it.Key} is missing"),
                .. wanted.Where(it => has.ContainsKey(it.Key)).SelectMany(it => Faults(it.Value, has[it.Key], $"{at}.{it.Key}")),
            ],
            (JsonArray { Count: > 0 } wanted, JsonArray has) =>
                has.Count == 0 ? [$"{at} is empty"] : [.. has.SelectMany((it, index) => Faults(wanted[0], it, $"{at}[{index}]"))],
            _ => [],
        };
    }

    private static string Kind(JsonNode node) => node.GetValueKind() is JsonValueKind.True or JsonValueKind.False ? "Boolean" : node.GetValueKind().ToString();
}
