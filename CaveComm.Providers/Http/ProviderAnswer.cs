using System.Net;
using System.Text.Json;

namespace CaveComm.Providers.Http;

/// <summary>A definite answer: what was asked for, or a refusal.</summary>
internal sealed record ProviderAnswer(HttpStatusCode Status, JsonElement Body)
{
    public bool IsDone => (int)Status is >= 200 and < 300;

    public bool IsMissing => Status == HttpStatusCode.NotFound;

    public string? ErrorCode => CodeOf(Body);

    /// <summary>The provider's words for a refusal, with its code.</summary>
    public string Reason
    {
        get
        {
            var words = Body.ValueKind == JsonValueKind.Array
                ? string.Join("; ", Body.Items().Select(fault => $"{fault.Text("path")}: {fault.Text("message")}"))
                : Body.Text("error", "message") ?? Body.Text("message");
            var code = ErrorCode ?? $"HTTP {(int)Status}";
            return string.IsNullOrWhiteSpace(words) ? code : $"{code}: {words}";
        }
    }

    /// <summary>Stripe: <c>error.code</c>, or its type where that decides or no code is given. BTCPay: <c>code</c>, or <c>validation</c> for a list of faults.</summary>
    public static string? CodeOf(JsonElement body)
    {
        if (body.ValueKind == JsonValueKind.Array)
        {
            return "validation";
        }

        var type = body.Text("error", "type");
        return type == "idempotency_error" ? type : body.Text("error", "code") ?? type ?? body.Text("code");
    }
}
