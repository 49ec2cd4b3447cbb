using System.Security.Cryptography;
using System.Text;
using CaveComm.Api.Identity;
using Microsoft.Extensions.Primitives;

namespace CaveComm.Api.Http.Idempotency;

/// <summary>The header by which a caller says that two requests are one.</summary>
public static class IdempotencyKey
{
    public const string Header = "Idempotency-Key";
    public const int MostCharacters = 255;

    /// <summary>How long an answer is kept.</summary>
    public static readonly TimeSpan Lifetime = TimeSpan.FromHours(24);

    /// <summary>What is wrong with the header, or null.</summary>
    internal static string? Fault(StringValues header) =>
        header is not [{ } key] ? $"Send one {Header}, not several."
        : key.Length is 0 or > MostCharacters || key.Any(it => it is < '!' or > '~') ? $"An {Header} has 1 to {MostCharacters} visible ASCII characters and no spaces."
        : null;

    /// <summary>
    /// Names the row of an answer: caller, address and key. One caller's key says nothing at another's address, and the row tells none of the three.
    /// An anonymous caller is told from another by what leads to the answer: the whole address with its token, the key, and then the same body.
    /// </summary>
    internal static byte[] RowOf(HttpContext http, string key)
    {
        var caller = http.Caller()?.AccountId.ToString("D") ?? "anonymous";
        var request = http.Request;
        return SHA256.HashData(Encoding.UTF8.GetBytes($"{caller}\n{request.PathBase}{request.Path}{request.QueryString}\n{key}"));
    }
}
