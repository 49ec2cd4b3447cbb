using System.Globalization;
using System.Text.Json.Nodes;
using CaveComm.Sandbox.Http;
using Microsoft.AspNetCore.Http;

namespace CaveComm.Sandbox.BtcPay;

/// <summary>An answer of the API. No body at all is one of its habits.</summary>
internal sealed record BtcPayAnswer(int Status, JsonNode? Body = null)
{
    public static BtcPayAnswer Empty { get; } = new(StatusCodes.Status200OK);

    public static BtcPayAnswer Ok(JsonNode body) => new(StatusCodes.Status200OK, body);

    /// <param name="what">As in the error's code: invoice, payout, pullpayment, webhook.</param>
    public static BtcPayAnswer NotFound(string what) => Fault(StatusCodes.Status404NotFound, $"{what}-not-found", $"The {what} was not found");

    /// <summary>A business error.</summary>
    public static BtcPayAnswer Refused(string code, string message) => Fault(StatusCodes.Status400BadRequest, code, message);

    public static BtcPayAnswer Fault(int status, string code, string message) =>
        new(status, new JsonObject { ["code"] = code, ["message"] = message });

    /// <summary>Validation: 422, whatever the swagger says.</summary>
    public static BtcPayAnswer Invalid(params IEnumerable<(string Path, string Message)> faults) => new(
        StatusCodes.Status422UnprocessableEntity,
        new JsonArray([.. faults.Select(it => new JsonObject { ["path"] = it.Path, ["message"] = it.Message })]));

    public Task Write(HttpResponse response)
    {
        if (Body is not null)
        {
            return response.Json(Body, Status);
        }

        response.StatusCode = Status;
        return Task.CompletedTask;
    }
}

/// <summary>A request body, read member by member with every fault noted.</summary>
internal sealed class BtcPayBody(JsonObject members, string prefix = "", List<(string Path, string Message)>? shared = null)
{
    private readonly List<(string Path, string Message)> faults = shared ?? [];

    public IReadOnlyList<(string Path, string Message)> Faults => faults;

    public bool Has(string name) => members[name] is not null;

    public void Wrong(string name, string message) => faults.Add((prefix + name, message));

    public string? Text(string name) => members[name] switch
    {
        null => null,
        JsonValue value when value.TryGetValue<string>(out var text) => text,
        _ => Wrong<string>(name, "This must be a text"),
    };

    /// <summary>Amounts come as text, and are taken as numbers too.</summary>
    public decimal? Number(string name)
    {
        if (members[name] is not { } node)
        {
            return null;
        }

        if (node is JsonValue value)
        {
            if (value.TryGetValue<decimal>(out var number))
            {
                return number;
            }

            if (value.TryGetValue<string>(out var text)
                && decimal.TryParse(text, NumberStyles.AllowLeadingSign | NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out number))
            {
                return number;
            }
        }

        Wrong(name, "This must be a decimal number");
        return null;
    }

    public bool? Truth(string name) => members[name] switch
    {
        null => null,
        JsonValue value when value.TryGetValue<bool>(out var truth) => truth,
        _ => WrongTruth(name),
    };

    public JsonObject? Object(string name) => members[name] switch
    {
        null => null,
        JsonObject found => found.DeepClone().AsObject(),
        _ => Wrong<JsonObject>(name, "This must be an object"),
    };

    public IReadOnlyList<string>? Texts(string name) => members[name] switch
    {
        null => null,
        JsonArray array when array.All(it => it is JsonValue value && value.TryGetValue<string>(out _)) => [.. array.Select(it => (string)it!)],
        _ => Wrong<IReadOnlyList<string>>(name, "This must be a list of texts"),
    };

    /// <summary>A nested object, whose faults are noted here with their path; empty when it is absent.</summary>
    public BtcPayBody Inner(string name) => new(Object(name) ?? [], $"{prefix}{name}.", faults);

    private T? Wrong<T>(string name, string message)
        where T : class
    {
        Wrong(name, message);
        return null;
    }

    private bool? WrongTruth(string name)
    {
        Wrong(name, "This must be true or false");
        return null;
    }
}
