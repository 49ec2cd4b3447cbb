using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using CaveComm.Domain;

namespace CaveComm.Api.Http;

/// <summary><c>{"amount":"120.00","currency":"EUR"}</c>: a decimal string with exactly the currency's digits, never a JSON number.</summary>
public sealed class MoneyJsonConverter : JsonConverter<Money>
{
    public override Money Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
    {
        var faults = new Faults();
        var money = Read(JsonNode.Parse(ref reader), "", faults);
        return faults.IsEmpty ? money : throw new JsonException(faults.First());
    }

    public override void Write(Utf8JsonWriter writer, Money value, JsonSerializerOptions options)
    {
        ArgumentNullException.ThrowIfNull(writer);
        writer.WriteStartObject();
        writer.WriteString("amount", value.ToDecimalString());
        writer.WriteString("currency", value.Currency);
        writer.WriteEndObject();
    }

    /// <summary>Reads a sum and adds every fault under its own field.</summary>
    internal static Money Read(JsonNode? node, string path, Faults faults)
    {
        if (node is not JsonObject sum)
        {
            faults.Add(path, "must be an object such as {\"amount\":\"120.00\",\"currency\":\"EUR\"}.");
            return default;
        }

        var currencyField = FaultProblems.Join(path, "currency");
        var amountField = FaultProblems.Join(path, "amount");
        foreach (var (name, _) in sum.Where(it => it.Key is not ("amount" or "currency")))
        {
            faults.Add(FaultProblems.Join(path, name), "is not known here.");
        }

        var currency = Text(sum["currency"]);
        if (currency is null)
        {
            faults.Add(currencyField, "is required: a currency code such as \"EUR\".");
        }
        else if (!Currencies.IsKnown(currency))
        {
            faults.Add(currencyField, "is not a currency that is taken here; use an ISO 4217 code in capitals, or BTC.");
            currency = null;
        }

        var amount = Text(sum["amount"]);
        if (amount is null)
        {
            faults.Add(amountField, sum["amount"] is null
                ? "is required: a decimal string such as \"120.00\"."
                : "must be a string such as \"120.00\", never a JSON number.");
        }
        else if (currency is not null)
        {
            if (Money.TryParse(amount, currency, out var money))
            {
                return money;
            }

            faults.Add(amountField, Currencies.Digits(currency) switch
            {
                0 => $"must be a whole number, since {currency} has no decimal places, such as \"120\".",
                var digits => $"must be a decimal number with exactly {digits} decimal places for {currency}, such as \"120.{new string('0', digits)}\".",
            });
        }

        return default;

        static string? Text(JsonNode? node) => node is JsonValue value && value.TryGetValue<string>(out var text) ? text : null;
    }
}
