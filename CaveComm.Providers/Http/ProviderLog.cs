using Microsoft.Extensions.Logging;

namespace CaveComm.Providers.Http;

/// <summary>Every provider response, structured (spec P9): provider, operation, ids, status, duration. Never a body, a key, a name or an address.</summary>
internal static partial class ProviderLog
{
    [LoggerMessage(
        EventId = 4001,
        EventName = "ProviderAnswered",
        Level = LogLevel.Information,
        Message = "{Provider} answered {Operation} with {Status} in {DurationMs:0.0} ms: {Method} {Path}, object {ObjectId}, idempotency key {Key}, request {RequestId}, replayed {Replayed}, error {ErrorCode}")]
    public static partial void Answered(
        ILogger log, string provider, string operation, int status, double durationMs, string method, string path, string? objectId, string? key, string? requestId, bool replayed, string? errorCode);

    [LoggerMessage(
        EventId = 4002,
        EventName = "ProviderSilent",
        Level = LogLevel.Warning,
        Message = "{Provider} did not answer {Operation}: {Reason} after {DurationMs:0.0} ms: {Method} {Path}, idempotency key {Key}")]
    public static partial void Silent(
        ILogger log, string provider, string operation, string reason, double durationMs, string method, string path, string? key);

    [LoggerMessage(EventId = 4003, EventName = "ProviderLeftAlone", Level = LogLevel.Warning, Message = "{Provider} is left alone for a while: it does not answer, or asked for a pause")]
    public static partial void LeftAlone(ILogger log, string provider);

    [LoggerMessage(EventId = 4004, EventName = "ProviderBack", Level = LogLevel.Information, Message = "{Provider} answers again")]
    public static partial void Back(ILogger log, string provider);
}
