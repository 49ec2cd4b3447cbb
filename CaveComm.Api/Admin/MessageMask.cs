using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace CaveComm.Api.Admin;

/// <summary>What administrators do not get to see of a message: keys, tokens, links that open something, and whose address a mail went to.</summary>
/// <remarks>
/// Messages carry ids, so mostly nothing is masked in their bodies; but the words of an exception are somebody else's, and the next type of message is yet to come.
/// Of an address the first letter and the domain stay: that is what one needs to know to mend what a mail server refused.
/// </remarks>
internal static partial class MessageMask
{
    public const string Hidden = "[hidden]";

    /// <summary>A body, masked.</summary>
    public static JsonNode? Body(string json)
    {
        var body = JsonNode.Parse(json);
        return body is JsonValue value ? Value(value) : Within(body);
    }

    public static string Text(string text)
    {
        var masked = Credentials().Replace(text, $"$1{Hidden}");
        masked = Keys().Replace(masked, Hidden);
        return Addresses().Replace(masked, "$1***@$2");
    }

    private static JsonNode? Within(JsonNode? node)
    {
        switch (node)
        {
            case JsonObject members:
                foreach (var (name, member) in members.ToList())
                {
                    members[name] = member is null ? null
                        : SecretName().IsMatch(name) ? Hidden
                        : member is JsonValue value ? Value(value)
                        : Within(member.DeepClone());
                }

                return members;
            case JsonArray items:
                for (var at = 0; at < items.Count; at++)
                {
                    items[at] = items[at] is JsonValue value ? Value(value) : Within(items[at]?.DeepClone());
                }

                return items;
            default:
                return node;
        }
    }

    private static JsonNode Value(JsonValue value) => value.TryGetValue<string>(out var text) ? JsonValue.Create(Text(text)) : value.DeepClone();

    [GeneratedRegex("token|secret|password|authorization|cookie|signature|api_?key|private_?key|statusurl|downloadurl", RegexOptions.IgnoreCase)]
    private static partial Regex SecretName();

    // What stands before the secret is kept: a scheme, the name of a parameter or setting, the path of a link that opens something by itself.
    [GeneratedRegex(
        @"((?:bearer|basic)\s+|authorization[""']?\s*[:=]\s*[""']?(?:\w+\s+)?|(?:^|[?&;\s{,])(?:[""']?[\w-]*(?:token|key|secret|signature|password)[""']?\s*[:=]\s*[""']?|(?:code|pwd)=)|/c/|/downloads/|://[^/\s:@]+:)[^\s&;""'<>/@]+",
        RegexOptions.IgnoreCase)]
    private static partial Regex Credentials();

    [GeneratedRegex(@"\b(?:sk|rk|pk)_(?:live|test)_\w+|\bwhsec_\w+|\beyJ[\w-]{5,}\.[\w-]+\.[\w-]*")]
    private static partial Regex Keys();

    [GeneratedRegex(@"([\w+-])[\w.+-]*@((?:[\w-]+\.)+[\w-]+)")]
    private static partial Regex Addresses();
}
