using System.Security.Cryptography;
using CaveComm.Api.Http;
using Microsoft.IdentityModel.Tokens;

namespace CaveComm.Api.Identity;

/// <summary>The keys that tokens are signed with and checked against.</summary>
internal interface ISigningKeys
{
    /// <summary>The key for new tokens.</summary>
    SigningCredentials Current { get; }

    /// <summary>Every key whose tokens are still believed.</summary>
    IReadOnlyList<SecurityKey> Trusted { get; }
}

/// <summary>A P-256 key in the data folder, made at the first start.</summary>
internal sealed class FileSigningKeys : ISigningKeys
{
    public const string FileName = "token-signing.pem";

    public FileSigningKeys(IConfiguration configuration)
    {
        var key = ECDsa.Create();
        key.ImportFromPem(ReadOrMake(Path.Combine(DataFolder.Keys(configuration).FullName, FileName)));
        var security = new ECDsaSecurityKey(key);
        security.KeyId = Base64UrlEncoder.Encode(security.ComputeJwkThumbprint());
        Current = new SigningCredentials(security, SecurityAlgorithms.EcdsaSha256);
        Trusted = [security];
    }

    public SigningCredentials Current { get; }

    public IReadOnlyList<SecurityKey> Trusted { get; }

    /// <summary>Written beside and moved into place, so that of two nodes that start at once both use the key that got there first.</summary>
    private static string ReadOrMake(string path)
    {
        if (!File.Exists(path))
        {
            var draft = $"{path}.{Guid.NewGuid():N}";
            var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
            if (!OperatingSystem.IsWindows())
            {
                options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
            }

            using (var key = ECDsa.Create(ECCurve.NamedCurves.nistP256))
            using (var writer = new StreamWriter(draft, options))
            {
                writer.Write(key.ExportPkcs8PrivateKeyPem());
            }

            try
            {
                File.Move(draft, path, overwrite: false);
            }
            catch (IOException) when (File.Exists(path))
            {
                File.Delete(draft);
            }
        }

        return File.ReadAllText(path);
    }
}
