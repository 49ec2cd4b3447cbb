using System.Net;

namespace CaveComm.Providers.Http;

/// <summary>What an answer means for the work that was asked for.</summary>
internal enum Verdict
{
    /// <summary>Done; the body is the answer.</summary>
    Done,

    /// <summary>A definite no: nothing was done, and asking again changes nothing.</summary>
    Refused,

    /// <summary>Our key is not accepted. Nothing was done; worth a retry once the operator has mended it.</summary>
    KeyRefused,

    /// <summary>Asked too often, or too early. Nothing was done.</summary>
    Throttled,

    /// <summary>The same work is under way, or something it needs is missing for the moment.</summary>
    Busy,

    /// <summary>The outcome is unknown.</summary>
    Unknown,
}

/// <summary>The one table of error answers that both payment providers share (contracts/stripe.md §2, contracts/btcpay.md §1).</summary>
internal static class ProviderFaults
{
    public static Verdict Judge(HttpStatusCode status, BodyKind body, string? errorCode) => (body, (int)status) switch
    {
        (BodyKind.Json, >= 200 and < 300) => Verdict.Done,

        // A 2xx without a readable body: done perhaps, but we do not hold the id.
        (_, >= 200 and < 300) => Verdict.Unknown,

        // Stripe says so of a connected account that is not ours: the destination is at fault, not the key.
        (_, 403) when errorCode == "account_invalid" => Verdict.Refused,
        (_, 401 or 403) => Verdict.KeyRefused,
        (_, 429) => Verdict.Throttled,
        (_, 408 or 409 or 424 or 425) => Verdict.Busy,

        // The key was used before with other parameters, so its work may be done: never a reason for a new attempt.
        (_, 400) when errorCode == "idempotency_error" => Verdict.Unknown,

        // Neither provider speaks HTML: a proxy, a captive portal or a wrong address answered in its place.
        (BodyKind.Foreign, >= 400 and < 500) => Verdict.Unknown,
        (_, >= 400 and < 500) => Verdict.Refused,
        _ => Verdict.Unknown,
    };

    /// <summary>A sentence for the operator. It never holds the key, nor anything else that we sent.</summary>
    public static string Explain(Verdict verdict, HttpStatusCode status, string operation, string keySetting) => verdict switch
    {
        Verdict.KeyRefused => $"the API key was refused for {operation} (HTTP {(int)status}). Check {keySetting} and the key's permissions.",
        Verdict.Throttled => $"too many requests at {operation} (HTTP {(int)status}).",
        Verdict.Busy => $"{operation} cannot be answered yet (HTTP {(int)status}).",
        Verdict.Unknown when (int)status is >= 300 and < 400 => $"{operation} was redirected (HTTP {(int)status}). Check the provider's address.",
        Verdict.Done or Verdict.Refused or Verdict.Unknown => $"{operation} got no usable answer (HTTP {(int)status}).",
    };
}

internal enum BodyKind
{
    Empty,
    Json,

    /// <summary>HTML or whatever else a machine in between says.</summary>
    Foreign,
}
