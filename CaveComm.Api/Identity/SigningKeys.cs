using System.Globalization;
using System.Security.Cryptography;
using CaveComm.Api.Http;
using Microsoft.IdentityModel.Tokens;

namespace CaveComm.Api.Identity;

/// <summary>The keys that tokens are signed with and checked against.</summary>
internal interface ISigningKeys
{
    /// <summary>The key for new tokens.</summary>
    SigningCredentials Current { get; }

    /// <summary>Every key whose tokens are believed, and the one that signs next: what other services are told.</summary>
    IReadOnlyList<SecurityKey> Trusted { get; }

    /// <summary>Every key of this installation, those too whose tokens have all run out: what was sealed with one stays sealed.</summary>
    IReadOnlyList<SecurityKey> Kept { get; }

    IReadOnlyList<SigningKeyListing> All();

    /// <summary>Makes a new key. It is published now and signs in an hour or two, when everybody knows it.</summary>
    /// <param name="compromised">It signs at once, and no other key is believed any more.</param>
    SigningKeyListing Rotate(bool compromised);
}

/// <param name="State"><c>next</c>, <c>signing</c>, <c>trusted</c> (its last tokens run out) or <c>retired</c>.</param>
public sealed record SigningKeyListing(string KeyId, DateTimeOffset SignsFrom, string State);

/// <summary>
/// P-256 keys in the data folder, which all nodes share. The newest that has begun signs; it is followed by another after thirty days. A file's
/// name says when its key begins, to the hour, so that nodes which rotate at once make one key.
/// </summary>
internal sealed class FileSigningKeys(IConfiguration configuration, TimeProvider clock) : ISigningKeys
{
    public const string FileName = "token-signing.pem";

    public static readonly TimeSpan SignsFor = TimeSpan.FromDays(30);
    public static readonly TimeSpan PublishedBefore = TimeSpan.FromHours(1);

    private const string Prefix = "token-signing-";
    private const string Suffix = ".pem";
    private const string TimeFormat = "yyyyMMddHHmmss";

    // The longest that a token lives, and what clocks and caches are late.
    private static readonly TimeSpan TrustedAfter = Tokens.Lifetime + TimeSpan.FromHours(1);
    private static readonly TimeSpan ReadEvery = TimeSpan.FromSeconds(5);

    private readonly Lock reading = new();
    private readonly Dictionary<string, ECDsaSecurityKey> opened = new(StringComparer.Ordinal);
    private (IReadOnlyList<FileKey> Keys, DateTimeOffset At)? read;

    public SigningCredentials Current => new(Keys().First(it => it.State == "signing").Key, SecurityAlgorithms.EcdsaSha256);

    public IReadOnlyList<SecurityKey> Trusted => [.. Keys().Where(it => it.State != "retired").Select(it => it.Key)];

    public IReadOnlyList<SecurityKey> Kept => [.. Keys().Select(it => it.Key)];

    public IReadOnlyList<SigningKeyListing> All() => [.. Keys().Select(it => new SigningKeyListing(it.Key.KeyId, it.SignsFrom, it.State))];

    public SigningKeyListing Rotate(bool compromised)
    {
        lock (reading)
        {
            var folder = Folder();
            var now = clock.GetUtcNow();
            var before = Files(folder);
            var made = Make(folder, compromised ? now.AddTicks(-(now.Ticks % TimeSpan.TicksPerSecond)) : NextHour(now));
            if (compromised)
            {
                // Under another name they are no keys any more; whoever looks into it still has them.
                foreach (var (path, _) in before.Where(it => it.Path != made))
                {
                    File.Move(path, path + ".revoked", overwrite: true);
                }
            }

            read = null;
            var name = Path.GetFileName(made);
            return Keys().Where(it => it.File == name).Select(it => new SigningKeyListing(it.Key.KeyId, it.SignsFrom, it.State)).First();
        }
    }

    private IReadOnlyList<FileKey> Keys()
    {
        lock (reading)
        {
            var now = clock.GetUtcNow();
            if (read is not { } known || now - known.At >= ReadEvery)
            {
                known = (Read(now), now);
                read = known;
            }

            return known.Keys;
        }
    }

    private List<FileKey> Read(DateTimeOffset now)
    {
        var folder = Folder();
        if (Files(folder) is [])
        {
            KeyFile.ReadOrMake(Path.Combine(folder, FileName), MakePem);
            File.SetLastWriteTimeUtc(Path.Combine(folder, FileName), now.UtcDateTime);
        }

        if (Files(folder)[0].SignsFrom + SignsFor - PublishedBefore <= now)
        {
            Make(folder, NextHour(now));
        }

        var files = Files(folder);
        var signing = files.FindIndex(it => it.SignsFrom <= now) is var index and >= 0 ? index : files.Count - 1;
        return
        [
            .. files.Select((it, place) => new FileKey(Path.GetFileName(it.Path), Open(it.Path), it.SignsFrom,
                place < signing ? "next" : place == signing ? "signing" : files[place - 1].SignsFrom + TrustedAfter > now ? "trusted" : "retired")),
        ];
    }

    private string Folder() => DataFolder.Keys(configuration).FullName;

    /// <summary>
    /// The key files, the newest first. The first one ever has no time in its name: it is older than all others, whatever the file says of itself, since a
    /// backup that is put back and a copied folder have files of today.
    /// </summary>
    private static List<(string Path, DateTimeOffset SignsFrom)> Files(string folder)
    {
        var files = Directory.EnumerateFiles(folder, $"token-signing*{Suffix}").Select(it => (Path: it, SignsFrom: SignsFromOf(it))).ToList();
        var named = files.Where(it => it.SignsFrom is not null).Select(it => it.SignsFrom!.Value.AddSeconds(-1)).DefaultIfEmpty(DateTimeOffset.MaxValue).Min();
        return
        [
            .. files.Select(it => (it.Path, SignsFrom: it.SignsFrom ?? Earlier(new DateTimeOffset(File.GetLastWriteTimeUtc(it.Path), TimeSpan.Zero), named)))
                .OrderByDescending(it => it.SignsFrom).ThenBy(it => it.Path, StringComparer.Ordinal),
        ];
    }

    private static DateTimeOffset Earlier(DateTimeOffset one, DateTimeOffset other) => one < other ? one : other;

    /// <returns>Null when the name does not say.</returns>
    private static DateTimeOffset? SignsFromOf(string path)
    {
        var name = Path.GetFileNameWithoutExtension(path);
        return name.StartsWith(Prefix, StringComparison.Ordinal)
            && DateTimeOffset.TryParseExact(name[Prefix.Length..], TimeFormat, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal, out var from)
            ? from
            : null;
    }

    private static string Make(string folder, DateTimeOffset signsFrom)
    {
        var path = Path.Combine(folder, $"{Prefix}{signsFrom.UtcDateTime.ToString(TimeFormat, CultureInfo.InvariantCulture)}{Suffix}");
        KeyFile.ReadOrMake(path, MakePem);
        return path;
    }

    private ECDsaSecurityKey Open(string path)
    {
        if (!opened.TryGetValue(path, out var security))
        {
            var key = ECDsa.Create();
            key.ImportFromPem(File.ReadAllText(path));
            security = new ECDsaSecurityKey(key);
            security.KeyId = Base64UrlEncoder.Encode(security.ComputeJwkThumbprint());
            opened[path] = security;
        }

        return security;
    }

    /// <summary>The first full hour that leaves everybody time to learn of the key.</summary>
    private static DateTimeOffset NextHour(DateTimeOffset now) => new((now + PublishedBefore).Ticks / TimeSpan.TicksPerHour * TimeSpan.TicksPerHour + TimeSpan.TicksPerHour, TimeSpan.Zero);

    private static string MakePem()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        return key.ExportPkcs8PrivateKeyPem();
    }

    private sealed record FileKey(string File, ECDsaSecurityKey Key, DateTimeOffset SignsFrom, string State);
}
