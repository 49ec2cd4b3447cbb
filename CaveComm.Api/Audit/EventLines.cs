using System.Buffers;
using System.Globalization;
using System.Text.Json;

namespace CaveComm.Api.Audit;

/// <summary>Events as NDJSON, one line for each, as <c>/audit/events</c> and <c>events export</c> tell them.</summary>
internal static class EventLines
{
    public const string MediaType = "application/x-ndjson";

    private const int Enough = 64 * 1024;

    private static readonly JsonWriterOptions Options = new() { Encoder = Http.Json.Options.Encoder, SkipValidation = true };

    /// <summary>Writes them as they come; only what fits into a small buffer is ever in memory.</summary>
    /// <param name="written">Told after every batch: how many so far, and the place of the last one in the log.</param>
    public static async Task Write(IAsyncEnumerable<StoredEvent> events, Stream output, Action<long, long>? written, CancellationToken cancel)
    {
        var buffer = new ArrayBufferWriter<byte>(2 * Enough);
        await using var json = new Utf8JsonWriter(buffer, Options);
        var (count, last) = (0L, 0L);
        await foreach (var stored in events.WithCancellation(cancel))
        {
            Write(json, stored);
            json.Reset();
            buffer.Write("\n"u8);
            (count, last) = (count + 1, stored.Sequence);
            if (buffer.WrittenCount >= Enough)
            {
                await Send();
            }
        }

        await Send();

        async Task Send()
        {
            await output.WriteAsync(buffer.WrittenMemory, cancel);
            buffer.ResetWrittenCount();
            written?.Invoke(count, last);
        }
    }

    private static void Write(Utf8JsonWriter json, StoredEvent it)
    {
        json.WriteStartObject();
        json.WriteNumber("position", it.Sequence);
        json.WriteString("id", it.Id);
        json.WriteString("stream", it.StreamKey);
        json.WriteNumber("version", it.Version);
        json.WriteString("type", it.Type);
        json.WriteString("at", it.Timestamp.UtcDateTime.ToString("yyyy-MM-ddTHH:mm:ss.FFFFFFZ", CultureInfo.InvariantCulture));
        json.WriteString("actor", it.Actor);
        json.WriteString("correlationId", it.CorrelationId);
        json.WriteString("causationId", it.CausationId);
        json.WriteString("hash", it.Hash);
        json.WriteString("previousHash", it.PreviousHash);
        json.WritePropertyName("data");
        json.WriteRawValue(it.Data, skipInputValidation: true);
        json.WriteEndObject();
        json.Flush();
    }
}
