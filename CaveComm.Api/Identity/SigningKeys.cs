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
        key.ImportFromPem(KeyFile.ReadOrMake(Path.Combine(DataFolder.Keys(configuration).FullName, FileName), MakePem));
        var security = new ECDsaSecurityKey(key);
        security.KeyId = Base64UrlEncoder.Encode(security.ComputeJwkThumbprint());
        Current = new SigningCredentials(security, SecurityAlgorithms.EcdsaSha256);
        Trusted = [security];
    }

    public SigningCredentials Current { get; }

    public IReadOnlyList<SecurityKey> Trusted { get; }

    private static string MakePem()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        return key.ExportPkcs8PrivateKeyPem();
    }
}
