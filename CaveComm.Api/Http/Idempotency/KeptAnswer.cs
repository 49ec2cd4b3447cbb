using System.Globalization;
using System.Security.Cryptography;
using System.Text.Json;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.Net.Http.Headers;

namespace CaveComm.Api.Http.Idempotency;

/// <summary>An answer as it was given: what a repeat of its request gets again.</summary>
internal sealed record KeptAnswer(int Status, IReadOnlyDictionary<string, string> Headers, byte[] Body)
{
    /// <summary>Says that an answer is a first answer given again.</summary>
    public const string ReplayedHeader = "Idempotent-Replayed";

    // Cookies are left out: they are secrets of a session, or made again from the position.
    private static readonly string[] Kept =
        [HeaderNames.ContentType, HeaderNames.Location, HeaderNames.ETag, HeaderNames.Vary, HeaderNames.CacheControl, Http.Position.Header];

    /// <summary>
    /// Whether this status settles the request: what was done, and what was refused by a decision. Whoever was not let in, sent too much, broken or
    /// outdated things or came at a bad moment, and whoever asked for what is not there, may ask again with the same key: nothing was decided.
    /// </summary>
    public static bool IsSettled(int status) => status is (>= 200 and < 400) or StatusCodes.Status409Conflict or StatusCodes.Status410Gone or StatusCodes.Status422UnprocessableEntity;

    public static KeptAnswer Of(HttpResponse response, byte[] body) => new(
        response.StatusCode,
        Kept.Where(response.Headers.ContainsKey).ToDictionary(it => it, it => response.Headers[it].ToString(), StringComparer.OrdinalIgnoreCase),
        body);

    public async Task Write(HttpContext http)
    {
        var response = http.Response;
        response.StatusCode = Status;
        foreach (var (name, value) in Headers)
        {
            response.Headers[name] = value;
        }

        if (Headers.TryGetValue(Http.Position.Header, out var position))
        {
            http.AnswerPosition(long.Parse(position, CultureInfo.InvariantCulture));
        }

        response.Headers[ReplayedHeader] = "true";
        if (Body.Length > 0)
        {
            response.ContentLength = Body.Length;
            await response.Body.WriteAsync(Body, http.RequestAborted);
        }
    }
}

/// <param name="Print">Of the first request's body.</param>
/// <param name="Answer">Null while the steps of the first request have not come to their end.</param>
internal sealed record KeptRequest(byte[] Print, KeptAnswer? Answer);

/// <summary>
/// Encrypts what is kept, all of it: answers hold private addresses (a customer's <c>statusUrl</c>), and the print of a body would confirm a guess
/// at a name or a password.
/// </summary>
internal sealed class AnswerSeal(IDataProtectionProvider protection)
{
    private const string Purpose = "CaveComm.KeptAnswer";

    // The row's name is part of the key, so that no row can be passed off as another.
    public byte[] Close(byte[] row, KeptRequest kept) =>
        protection.CreateProtector(Purpose, Convert.ToHexStringLower(row)).Protect(JsonSerializer.SerializeToUtf8Bytes(kept));

    /// <returns>Null when it cannot be opened: the key ring was lost, or the row was tampered with.</returns>
    public KeptRequest? Open(byte[] row, byte[] closed)
    {
        try
        {
            return JsonSerializer.Deserialize<KeptRequest>(protection.CreateProtector(Purpose, Convert.ToHexStringLower(row)).Unprotect(closed));
        }
        catch (CryptographicException)
        {
            return null;
        }
    }
}
