using System.Globalization;
using Microsoft.Net.Http.Headers;

namespace CaveComm.Api.Http;

/// <summary>What the caller's If-Match says: the versions that the thing may be at.</summary>
public sealed class IfMatch
{
    private readonly IReadOnlyList<EntityTagHeaderValue>? _tags;

    internal IfMatch(IReadOnlyList<EntityTagHeaderValue>? tags) => _tags = tags;

    /// <summary>No header: any version will do.</summary>
    public bool IsAbsent => _tags is null;

    /// <summary>Whether the header allows the thing at this version; a weak tag never does, and <c>*</c> does when there is such a thing.</summary>
    public bool Allows(long version) => _tags is null
        || _tags.Any(it => it.Equals(EntityTagHeaderValue.Any) ? version > 0 : !it.IsWeak && it.Tag == Etags.Of(version));
}

/// <summary>A stream's version as its ETag: <c>"7"</c>.</summary>
public static class Etags
{
    public static string Of(long version) => string.Create(CultureInfo.InvariantCulture, $"\"{version}\"");

    public static void SetETag(this HttpContext http, long version)
    {
        ArgumentNullException.ThrowIfNull(http);
        http.Response.Headers.ETag = Of(version);
    }

    /// <summary>The request's If-Match. One that cannot be read allows nothing, so it ends in a 412 and not in a lost update.</summary>
    public static IfMatch IfMatch(this HttpContext http)
    {
        ArgumentNullException.ThrowIfNull(http);
        var header = http.Request.Headers.IfMatch;
        return new IfMatch(header.Count == 0 ? null : EntityTagHeaderValue.TryParseList(header, out var tags) ? [.. tags] : []);
    }

    /// <summary>Whether the caller has this version already (If-None-Match), so that 304 will do.</summary>
    public static bool HasVersion(this HttpContext http, long version)
    {
        ArgumentNullException.ThrowIfNull(http);
        return EntityTagHeaderValue.TryParseList(http.Request.Headers.IfNoneMatch, out var tags)
            && tags.Any(it => it.Equals(EntityTagHeaderValue.Any) || it.Tag == Of(version));
    }

    /// <summary>412, with the current version in the ETag header.</summary>
    public static Microsoft.AspNetCore.Http.HttpResults.ProblemHttpResult VersionMismatch(this HttpContext http, long version)
    {
        http.SetETag(version);
        return Problems.Of("version-mismatch", $"It is at version {version} now. Load it again and decide anew.");
    }
}
