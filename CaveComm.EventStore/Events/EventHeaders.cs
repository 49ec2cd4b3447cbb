using System.Text.Json;

namespace CaveComm.EventStore;

/// <summary>Reads the stored headers of events.</summary>
internal static class EventHeaders
{
    public static Dictionary<string, object>? Parse(byte[] json)
    {
        var stored = JsonSerializer.Deserialize<Dictionary<string, JsonElement>>(json);
        return stored?.Where(it => it.Value.ValueKind is not JsonValueKind.Null).ToDictionary(it => it.Key, it => Plain(it.Value));
    }

    /// <summary>The text under one name; null where there is none.</summary>
    public static string? Text(ReadOnlySpan<byte> json, ReadOnlySpan<char> name)
    {
        var reader = new Utf8JsonReader(json);
        while (reader.Read())
        {
            if (reader.TokenType == JsonTokenType.PropertyName && reader.CurrentDepth == 1)
            {
                var found = reader.ValueTextEquals(name);
                reader.Read();
                if (found)
                    return reader.TokenType == JsonTokenType.String ? reader.GetString() : null;
                reader.Skip();
            }
        }

        return null;
    }

    private static object Plain(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.String => value.GetString()!,
        JsonValueKind.True => true,
        JsonValueKind.False => false,
        JsonValueKind.Number => value.TryGetInt64(out var whole) ? whole : value.GetDouble(),
        JsonValueKind.Undefined or JsonValueKind.Object or JsonValueKind.Array or JsonValueKind.Null => value,
    };
}
