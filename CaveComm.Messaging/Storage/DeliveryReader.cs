using System.Text.Json;
using Npgsql;

namespace CaveComm.Messaging;

/// <summary>Reads the rows that <see cref="DeliveryCommands"/> returns.</summary>
internal static class DeliveryReader
{
    public static Delivery Read(NpgsqlDataReader reader, MessageCatalog catalog, long leasedAt)
    {
        var id = reader.GetGuid(0);
        var type = catalog.For(reader.GetString(1));
        var group = reader.IsDBNull(2) ? null : reader.GetString(2);
        var attempts = reader.GetInt32(4);
        var headers = reader.IsDBNull(8) ? [] : JsonSerializer.Deserialize<Dictionary<string, string>>(reader.GetString(8)) ?? [];
        var trace = headers.GetValueOrDefault(HeaderNames.TraceParent, "");
        var traceId = trace.Length == 55 ? trace.Substring(3, 32) : "";
        var envelope = new Envelope(id, type.Alias, attempts + 1, group, headers.GetValueOrDefault(HeaderNames.Correlation, traceId), trace, headers);
        var delivery = new Delivery(
            id, type, group, reader.GetInt64(9), reader.GetInt32(3), attempts, reader.GetFieldValue<DateTimeOffset>(6), null, reader.GetString(7), envelope, leasedAt);
        if (reader.FieldCount > DeliveryCommands.FollowedColumn && reader.GetBoolean(DeliveryCommands.FollowedColumn))
        {
            delivery.Follow();
        }

        return delivery;
    }
}
