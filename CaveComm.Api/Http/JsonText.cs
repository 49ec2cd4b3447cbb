using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Unicode;

namespace CaveComm.Api.Http;

/// <summary>Parses JSON text and says in one sentence where it is broken.</summary>
internal static class JsonText
{
    private static readonly JsonDocumentOptions Strict = new() { AllowDuplicateProperties = false, MaxDepth = 32 };

    /// <returns>The fault, or null.</returns>
    public static string? Parse(ReadOnlySpan<byte> utf8, out JsonNode? node)
    {
        node = null;
        if (!Utf8.IsValid(utf8))
        {
            return "The body is not UTF-8.";
        }

        if (utf8.StartsWith("\uFEFF"u8))
        {
            utf8 = utf8[3..];
        }

        try
        {
            if (BadText(utf8) is { } fault)
            {
                return fault;
            }

            node = JsonNode.Parse(utf8, documentOptions: Strict);
            return null;
        }
        catch (JsonException error)
        {
            return error.Message.Contains("uplicate", StringComparison.Ordinal) ? "The JSON names a member twice." : Bodies.Explain(error);
        }
    }

    /// <summary>Escapes can smuggle in what UTF-8 cannot hold and what PostgreSQL will not store: half a surrogate pair, and the NUL character.</summary>
    private static string? BadText(ReadOnlySpan<byte> utf8)
    {
        var reader = new Utf8JsonReader(utf8, new JsonReaderOptions { MaxDepth = 32 });
        while (reader.Read())
        {
            if (reader.TokenType is JsonTokenType.String or JsonTokenType.PropertyName && reader.ValueIsEscaped)
            {
                string? text;
                try
                {
                    text = reader.GetString();
                }
                catch (InvalidOperationException)
                {
                    return "The JSON holds an escape that is no Unicode character.";
                }

                if (text!.Contains('\0', StringComparison.Ordinal))
                {
                    return "The JSON holds a NUL character, which cannot be stored.";
                }
            }
        }

        return null;
    }
}
