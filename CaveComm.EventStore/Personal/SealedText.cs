using System.Buffers;
using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace CaveComm.EventStore;

/// <summary>
/// How a sealed text is written: <c>sealed:1:{subject}:{base64url of nonce, ciphertext, tag}</c>, in the place of the text itself, so that the
/// shape of the JSON stays. The event's id is authenticated with it: a text that is moved to another event does not open. A long text is
/// <see cref="PackedText"/> before, and written with <c>sealed:2:</c>.
/// </summary>
/// <remarks>A text that looks like a sealed one and is not is stored behind <c>sealed:0:</c>, so what users type cannot be taken for one.</remarks>
internal static class SealedText
{
    public const int TagSize = 16;
    private const int NonceSize = 12;
    private const string AnySealed = "sealed:";
    private const string Sealed = "sealed:1:";
    private const string SealedPacked = "sealed:2:";
    private const string Plain = "sealed:0:";

    // PostgreSQL takes deeper JSON than the reader does by itself; what does not fit its type is told when it is read as that.
    private static readonly JsonReaderOptions AnyDepth = new() { MaxDepth = 10_000 };

    private static ReadOnlySpan<byte> Mark => "\"sealed:"u8;

    private static ReadOnlySpan<byte> SealedUtf8 => "sealed:1:"u8;

    private static ReadOnlySpan<byte> SealedPackedUtf8 => "sealed:2:"u8;

    private static ReadOnlySpan<byte> PlainUtf8 => "sealed:0:"u8;

    private static ReadOnlySpan<byte> ErasedUtf8 => "[erased]"u8;

    /// <summary>Whether there may be a sealed text in the JSON. It says yes to some that has none, never no to one that has.</summary>
    public static bool Occurs(ReadOnlySpan<byte> json) => json.IndexOf(Mark) >= 0;

    /// <summary>The JSON as it is stored: texts of the rule sealed, all others as they were.</summary>
    public static byte[] Seal(byte[] json, Guid eventId, string subject, SealedPath paths, byte[] key)
    {
        using var cipher = new AesGcm(key, TagSize);
        return JsonSerializer.SerializeToUtf8Bytes(Rewrite(JsonNode.Parse(json), paths, text =>
        {
            var plain = Encoding.UTF8.GetBytes(text);
            return PackedText.Pack(plain) is { } packed
                ? $"{SealedPacked}{subject}:{Encrypted(packed, cipher, Context(eventId, subject, isPacked: true))}"
                : $"{Sealed}{subject}:{Encrypted(plain, cipher, Context(eventId, subject, isPacked: false))}";
        }));
    }

    /// <summary>The JSON of an event that has nothing to seal, but texts that look as if they were.</summary>
    public static byte[] Escape(byte[] json) => JsonSerializer.SerializeToUtf8Bytes(Rewrite(JsonNode.Parse(json), null, text => text));

    /// <summary>The subjects whose keys are needed to open the JSON.</summary>
    public static void AddSubjects(ReadOnlySpan<byte> json, HashSet<string> subjects)
    {
        var reader = new Utf8JsonReader(json, AnyDepth);
        var last = "";
        while (reader.Read())
        {
            if (IsMarked(reader) && SubjectOf(Text(reader)) is { Length: > 0 } named && !Ascii.Equals(named, last))
                subjects.Add(last = Encoding.UTF8.GetString(named));
        }
    }

    /// <summary>The JSON with its texts opened.</summary>
    /// <param name="cipher">The cipher of a subject; null when its key is destroyed.</param>
    /// <exception cref="JsonException">A sealed text was changed, or its key is missing.</exception>
    public static ReadOnlySpan<byte> Open(ReadOnlySpan<byte> json, Guid eventId, Func<string, AesGcm?> cipher)
    {
        var opened = new ArrayBufferWriter<byte>(json.Length);
        var reader = new Utf8JsonReader(json, AnyDepth);
        var (copied, subject) = (0, "");
        while (reader.Read())
        {
            if (!IsMarked(reader))
                continue;
            opened.Write(json[copied..(int)reader.TokenStartIndex]);
            opened.Write("\""u8);
            var text = Text(reader);
            if (text.StartsWith(PlainUtf8))
            {
                opened.Write(JsonEncodedText.Encode(text[PlainUtf8.Length..]).EncodedUtf8Bytes);
            }
            else if (SubjectOf(text) is { Length: > 0 } named)
            {
                // The texts of an event are nearly always one subject's.
                if (!Ascii.Equals(named, subject))
                    subject = Encoding.UTF8.GetString(named);
                opened.Write(cipher(subject) is { } key
                    ? JsonEncodedText.Encode(Opened(text[(SealedUtf8.Length + named.Length + 1)..], key, eventId, subject, text.StartsWith(SealedPackedUtf8))).EncodedUtf8Bytes
                    : ErasedUtf8);
            }
            else
            {
                opened.Write(JsonEncodedText.Encode(text).EncodedUtf8Bytes);
            }

            opened.Write("\""u8);
            copied = (int)reader.BytesConsumed;
        }

        opened.Write(json[copied..]);
        return opened.WrittenSpan;
    }

    private static bool IsMarked(in Utf8JsonReader reader) => reader.TokenType == JsonTokenType.String && reader.ValueSpan.StartsWith(Mark[1..]);

    private static ReadOnlySpan<byte> Text(in Utf8JsonReader reader) => reader.ValueIsEscaped ? Encoding.UTF8.GetBytes(reader.GetString()!) : reader.ValueSpan;

    /// <summary>Empty where the text is not a sealed one.</summary>
    private static ReadOnlySpan<byte> SubjectOf(ReadOnlySpan<byte> text) =>
        (text.StartsWith(SealedUtf8) || text.StartsWith(SealedPackedUtf8)) && text.LastIndexOf((byte)':') is var end && end > SealedUtf8.Length ? text[SealedUtf8.Length..end] : default;

    private static JsonNode? Rewrite(JsonNode? node, SealedPath? path, Func<string, string> seal)
    {
        switch (node)
        {
            case JsonObject members:
                foreach (var (name, value) in members.ToArray())
                {
                    var rewritten = Rewrite(value, path?.Below(name), seal);
                    if (!ReferenceEquals(rewritten, value))
                        members[name] = rewritten;
                }

                return members;
            case JsonArray items:
                for (var i = 0; i < items.Count; i++)
                {
                    var rewritten = Rewrite(items[i], path, seal);
                    if (!ReferenceEquals(rewritten, items[i]))
                        items[i] = rewritten;
                }

                return items;
            case JsonValue value when value.GetValueKind() == JsonValueKind.String:
                var text = value.GetValue<string>();
                return path is { IsWhole: true } ? JsonValue.Create(seal(text))
                    : text.StartsWith(AnySealed, StringComparison.Ordinal) ? JsonValue.Create(Plain + text)
                    : value;
            default:
                return node;
        }
    }

    private static byte[] Context(Guid eventId, string subject, bool isPacked) => Encoding.UTF8.GetBytes($"{eventId:N}/{subject}{(isPacked ? "/packed" : "")}");

    private static string Encrypted(byte[] plain, AesGcm cipher, byte[] context) => Base64Url.EncodeToString(Encrypt(plain, cipher, context));

    private static byte[] Opened(ReadOnlySpan<byte> sealedText, AesGcm cipher, Guid eventId, string subject, bool isPacked)
    {
        try
        {
            var plain = Decrypt(Base64Url.DecodeFromUtf8(sealedText), cipher, Context(eventId, subject, isPacked));
            return isPacked ? PackedText.Unpack(plain) : plain;
        }
        catch (Exception changed) when (changed is CryptographicException or FormatException)
        {
            throw new JsonException("A sealed text is not the one that was written here.", changed);
        }
    }

    /// <summary>Nonce, ciphertext and tag in one.</summary>
    public static byte[] Encrypt(ReadOnlySpan<byte> plain, AesGcm cipher, byte[] context)
    {
        var whole = new byte[NonceSize + plain.Length + TagSize];
        RandomNumberGenerator.Fill(whole.AsSpan(0, NonceSize));
        cipher.Encrypt(whole.AsSpan(0, NonceSize), plain, whole.AsSpan(NonceSize, plain.Length), whole.AsSpan(NonceSize + plain.Length), context);
        return whole;
    }

    /// <exception cref="CryptographicException">Key, context or bytes are not those of the encryption.</exception>
    public static byte[] Decrypt(ReadOnlySpan<byte> whole, AesGcm cipher, byte[] context)
    {
        if (whole.Length < NonceSize + TagSize)
            throw new CryptographicException("It is too short.");
        var plain = new byte[whole.Length - NonceSize - TagSize];
        cipher.Decrypt(whole[..NonceSize], whole[NonceSize..^TagSize], whole[^TagSize..], plain, context);
        return plain;
    }
}
