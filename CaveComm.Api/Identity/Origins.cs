using System.Net;
using System.Security.Cryptography;
using CaveComm.Api.Http;

namespace CaveComm.Api.Identity;

/// <summary>Where a request came from, as it may be kept: the same source gives the same word, and without the key nobody finds the address.</summary>
internal sealed class Origins(IConfiguration configuration)
{
    public const string FileName = "origins.key";

    private const int Digits = 16;

    private readonly Lazy<byte[]> key = new(() => Convert.FromBase64String(
        KeyFile.ReadOrMake(Path.Combine(DataFolder.Keys(configuration).FullName, FileName), () => Convert.ToBase64String(RandomNumberGenerator.GetBytes(32)))));

    public string Of(HttpContext http) => Of(http.Connection.RemoteIpAddress);

    public string Of(IPAddress? address)
    {
        var bytes = (address is { IsIPv4MappedToIPv6: true } ? address.MapToIPv4() : address ?? IPAddress.None).GetAddressBytes();
        return Convert.ToHexStringLower(HMACSHA256.HashData(key.Value, bytes))[..Digits];
    }
}
