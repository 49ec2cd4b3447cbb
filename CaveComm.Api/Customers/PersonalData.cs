using System.Security.Cryptography;
using CaveComm.Api.Http;
using CaveComm.Api.Identity;
using CaveComm.Domain;
using CaveComm.Domain.Commissions;
using CaveComm.Domain.Payments;

namespace CaveComm.Api.Customers;

/// <summary>What of the events is about customers, and the key that all their keys are wrapped with.</summary>
internal static class PersonalData
{
    public const string KeyFileName = "personal-master.key";
    private const string KeySetting = "CaveComm:PersonalMasterKey";

    public static void Configure(PersonalOptions options, IConfiguration configuration)
    {
        options.MasterKey = MasterKey(configuration);
        options.Seal<CommissionEvent.Requested>(e => StreamKey.Customer(e.Customer.Id), "customer.name", "customer.email", "answers");

        // Whom a body names is found out after it was stored, so each is sealed by itself and assigned to its customer then.
        options.Seal<ProviderEvent.Received>(e => StreamKey.ProviderEvent(e.Provider, e.EventId), "body");
        options.Seal<ProviderEvent.Unreadable>(e => StreamKey.ProviderEvent(e.Provider, e.Sha256), "body");
    }

    private static byte[] MasterKey(IConfiguration configuration)
    {
        var text = configuration[KeySetting] is { Length: > 0 } given
            ? given
            : KeyFile.ReadOrMake(Path.Combine(DataFolder.Keys(configuration).FullName, KeyFileName), () => Convert.ToBase64String(RandomNumberGenerator.GetBytes(PersonalOptions.KeySize)));
        var key = new byte[PersonalOptions.KeySize];
        return Convert.TryFromBase64String(text.Trim(), key, out var length) && length == key.Length
            ? key
            : throw new InvalidOperationException($"{KeySetting}, or the file {KeyFileName} in the folder of keys, has to be {PersonalOptions.KeySize} bytes in Base64.");
    }
}
