using System.Text.Json.Nodes;

namespace CaveComm.Sandbox.Stripe.Wire;

/// <summary>An answer that is an error object.</summary>
internal sealed class StripeFault(int status, string type, string? code, string message, string? parameter = null) : Exception(message)
{
    public int Status { get; } = status;

    /// <summary>Faults in the parameters are found before the work begins, so the idempotency key stays free.</summary>
    public bool BeforeExecution { get; private init; }

    /// <summary>The request failed and yet changed something, as a declined payment leaves a failed attempt.</summary>
    public bool KeepsChanges { get; init; }

    public string? DeclineCode { get; init; }

    public JsonObject? PaymentIntent { get; init; }

    public string? Charge { get; init; }

    public static StripeFault Missing(string parameter) =>
        Early("parameter_missing", $"Missing required param: {parameter}.", parameter);

    public static StripeFault Unknown(string parameter) =>
        Early("parameter_unknown", $"Received unknown parameter: {parameter}", parameter);

    public static StripeFault Empty(string parameter) => Early(
        "parameter_invalid_empty",
        $"An empty value means to unset a parameter, and '{parameter}' cannot be unset. Leave it out, or give it a value.",
        parameter);

    public static StripeFault NotInteger(string parameter, string value) =>
        Early("parameter_invalid_integer", $"Invalid integer: {value}", parameter);

    public static StripeFault Parameter(string parameter, string message) => Early(null, message, parameter);

    public static StripeFault Early(string? code, string message, string? parameter = null) =>
        new(400, "invalid_request_error", code, message, parameter) { BeforeExecution = true };

    /// <summary>The parameters are fine, the state of things is not.</summary>
    public static StripeFault State(string? code, string message, string? parameter = null) =>
        new(400, "invalid_request_error", code, message, parameter);

    /// <summary>404 for the id in the URL, 400 for one in the parameters.</summary>
    public static StripeFault NoSuch(string what, string id, string parameter, bool inUrl) =>
        new(inUrl ? 404 : 400, "invalid_request_error", "resource_missing", $"No such {what}: '{id}'", parameter);

    public JsonObject ToJson(string requestId)
    {
        var error = new JsonObject();
        Add(error, "charge", Charge);
        Add(error, "code", code);
        Add(error, "decline_code", DeclineCode);
        Add(error, "doc_url", code is null ? null : "https://stripe.com/docs/error-codes/" + code.Replace('_', '-'));
        error["message"] = Message;
        Add(error, "param", parameter);
        if (PaymentIntent is not null)
        {
            error["payment_intent"] = PaymentIntent.DeepClone();
        }

        error["request_log_url"] = "https://dashboard.stripe.com/test/logs/" + requestId;
        error["type"] = type;
        return new JsonObject { ["error"] = error };
    }

    private static void Add(JsonObject error, string name, string? value)
    {
        if (value is not null)
        {
            error[name] = value;
        }
    }
}
