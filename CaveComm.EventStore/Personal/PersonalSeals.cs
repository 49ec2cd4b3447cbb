using System.Security.Cryptography;
using System.Text.Json;

namespace CaveComm.EventStore;

/// <summary>What one save seals, with the keys at hand.</summary>
internal sealed class PersonalSeals(PersonalKeys personal, Dictionary<string, byte[]> keys)
{
    /// <summary>Joins the save where something is sealed; null where nothing is.</summary>
    public ITransactionParticipant? Guard => keys.Count == 0 ? null : personal.Guard([.. keys.Keys.Order(StringComparer.Ordinal)]);

    public static async Task<PersonalSeals> For(PersonalKeys personal, IEnumerable<IEvent> events, CancellationToken cancel)
    {
        if (!personal.Options.HasRules)
            return new(personal, []);
        var subjects = new HashSet<string>(StringComparer.Ordinal);
        foreach (var happened in events)
        {
            if (personal.Options.For(happened.Data.GetType()) is { } rule)
                subjects.Add(rule.Subject(happened.Data));
        }

        return new(personal, subjects.Count == 0 ? [] : await personal.ForWriting(subjects, cancel));
    }

    /// <summary>The event's data as it is stored.</summary>
    public byte[] Json(IEvent happened, JsonSerializerOptions options)
    {
        var data = happened.Data;
        var json = JsonSerializer.SerializeToUtf8Bytes(data, data.GetType(), options);
        if (personal.Options.For(data.GetType()) is { } rule)
            return SealedText.Seal(json, happened.Id, rule.Subject(data), rule.Paths, keys[rule.Subject(data)]);
        return SealedText.Occurs(json) ? SealedText.Escape(json) : json;
    }
}

/// <summary>Opens what some events have sealed: their keys are fetched together.</summary>
internal sealed class PersonalOpening : IDisposable
{
    private readonly Dictionary<string, PersonalKey> keys;
    private readonly Dictionary<string, AesGcm?> ciphers = new(StringComparer.Ordinal);

    private PersonalOpening(Dictionary<string, PersonalKey> keys) => this.keys = keys;

    /// <param name="sealedJson">The stored data of events in which <see cref="SealedText.Occurs"/>.</param>
    public static async Task<PersonalOpening> Of(PersonalKeys personal, IEnumerable<byte[]> sealedJson, CancellationToken cancel)
    {
        var subjects = new HashSet<string>(StringComparer.Ordinal);
        foreach (var json in sealedJson)
            SealedText.AddSubjects(json, subjects);
        return new(subjects.Count == 0 ? [] : await personal.ForReading(subjects, cancel));
    }

    /// <exception cref="JsonException">A sealed text was changed, or its key is missing.</exception>
    public ReadOnlySpan<byte> Open(byte[] json, Guid eventId) => SealedText.Open(json, eventId, Cipher);

    public void Dispose()
    {
        foreach (var cipher in ciphers.Values)
            cipher?.Dispose();
    }

    private AesGcm? Cipher(string subject)
    {
        if (ciphers.TryGetValue(subject, out var cipher))
            return cipher;

        // Destroyed and missing are not the same: the second is a fault of who runs this, and must not pass for an erasure.
        if (!keys.TryGetValue(subject, out var key))
            throw new JsonException($"The key of {subject} is missing or damaged.");
        return ciphers[subject] = key.Bytes is { } bytes ? new AesGcm(bytes, SealedText.TagSize) : null;
    }
}
