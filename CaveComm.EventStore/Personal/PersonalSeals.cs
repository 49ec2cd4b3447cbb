using System.Security.Cryptography;
using System.Text.Json;
using Npgsql;

namespace CaveComm.EventStore;

/// <summary>What one save seals, with the keys at hand.</summary>
/// <param name="born">Those of the keys that the save itself stores.</param>
internal sealed class PersonalSeals(PersonalKeys personal, Dictionary<string, byte[]> keys, Dictionary<string, byte[]> born)
{
    /// <summary>Join the save where something is sealed.</summary>
    public IEnumerable<ITransactionParticipant> Guards
    {
        get
        {
            if (born.Count > 0)
                yield return personal.Birth(born);
            if (keys.Count > born.Count)
                yield return personal.Guard([.. keys.Keys.Where(it => !born.ContainsKey(it)).Order(StringComparer.Ordinal)]);
        }
    }

    /// <param name="isBorn">Whether a stream that begins with this save, and is its own subject, gets its key in the save: one round trip less. Not where somebody left a key there before.</param>
    public static async Task<PersonalSeals> For(PersonalKeys personal, IEnumerable<PendingStream> streams, bool isBorn, CancellationToken cancel)
    {
        if (!personal.Options.HasRules)
            return new(personal, [], []);
        var subjects = new HashSet<string>(StringComparer.Ordinal);
        var born = new Dictionary<string, byte[]>(StringComparer.Ordinal);
        foreach (var stream in streams)
        {
            foreach (var happened in stream.Events)
            {
                if (personal.Options.For(happened.Data.GetType()) is not { } rule)
                    continue;
                var subject = rule.Subject(happened.Data);
                if (isBorn && stream.Starts && subject == stream.Key)
                    born.TryAdd(subject, PersonalKeys.NewKey());
                else
                    subjects.Add(subject);
            }
        }

        subjects.ExceptWith(born.Keys);
        var keys = subjects.Count == 0 ? new(StringComparer.Ordinal) : await personal.ForWriting(subjects, cancel);
        foreach (var (subject, key) in born)
            keys.Add(subject, key);
        return new(personal, keys, born);
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
    /// <param name="keysOn">The connection to ask for keys on; null for one of the pool.</param>
    public static async Task<PersonalOpening> Of(PersonalKeys personal, IEnumerable<byte[]> sealedJson, NpgsqlConnection? keysOn, CancellationToken cancel)
    {
        var subjects = new HashSet<string>(StringComparer.Ordinal);
        foreach (var json in sealedJson)
            SealedText.AddSubjects(json, subjects);
        return new(subjects.Count == 0 ? [] : await personal.ForReading(subjects, keysOn, cancel));
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
