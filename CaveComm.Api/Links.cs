using System.Buffers.Binary;
using System.Security.Cryptography;
using CaveComm.Projections.Commissions;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.AspNetCore.WebUtilities;
using Microsoft.Extensions.Options;

namespace CaveComm.Api;

/// <summary>Makes and reads the signed links that stand in mails: the customer's status page and the downloads.</summary>
public sealed class Links(IDataProtectionProvider protection, IOptions<CaveCommOptions> options, TimeProvider clock)
{
    public static readonly TimeSpan DownloadLifetime = TimeSpan.FromDays(30);

    private readonly IDataProtector status = protection.CreateProtector("CaveComm.StatusLink");
    private readonly IDataProtector downloads = protection.CreateProtector("CaveComm.DownloadLink");

    /// <summary>An address on this installation.</summary>
    /// <param name="path">Relative, without a leading slash.</param>
    public Uri To(string path) => new(Root, path);

    private Uri Root => options.Value.PublicUrl.AbsoluteUri is var root && root.EndsWith('/') ? options.Value.PublicUrl : new Uri(root + "/");

    /// <summary>The customer's private page for one commission.</summary>
    public Uri Status(Guid commission) => To($"customer/requests/{commission}?token={WebEncoders.Base64UrlEncode(status.Protect(commission.ToByteArray()))}");

    /// <summary>Where the pay page sends the customer back to: the private page, with a hint to ask the provider at once.</summary>
    public Uri Returned(Guid commission) => new($"{Status(commission)}&returned=1");

    /// <summary>Whether a token opens this commission's private page.</summary>
    public bool OpensStatus(Guid commission, string? token) =>
        Unprotect(status, token) is { Length: 16 } id && CryptographicOperations.FixedTimeEquals(id, commission.ToByteArray());

    public Uri Inbox(string freelancer) => To($"freelancer/{freelancer}/inbox");

    public Uri Shop(string freelancer) => To($"freelancer/{freelancer}/templates");

    public Uri Request(string freelancer, Guid commission) => To($"freelancer/{freelancer}/requests/{commission}");

    public Uri Download(CommissionDetail detail, DownloadRecipient recipient) => To($"downloads/{Token(detail.RequestId, recipient, detail.State.LinkGeneration)}");

    /// <summary>What a download token says; null when it is forged. Whether it is still good is for the caller to judge.</summary>
    public DownloadToken? ReadDownload(string? token)
    {
        if (Unprotect(downloads, token) is not { Length: 29 } bytes)
        {
            return null;
        }

        var expires = DateTimeOffset.FromUnixTimeSeconds(BinaryPrimitives.ReadInt64BigEndian(bytes.AsSpan(21)));
        return new DownloadToken(
            new Guid(bytes.AsSpan(0, 16)), (DownloadRecipient)bytes[16], BinaryPrimitives.ReadInt32BigEndian(bytes.AsSpan(17)), expires, expires <= clock.GetUtcNow());
    }

    private string Token(Guid commission, DownloadRecipient recipient, int generation)
    {
        var bytes = new byte[29];
        commission.TryWriteBytes(bytes);
        bytes[16] = (byte)recipient;
        BinaryPrimitives.WriteInt32BigEndian(bytes.AsSpan(17), generation);
        BinaryPrimitives.WriteInt64BigEndian(bytes.AsSpan(21), (clock.GetUtcNow() + DownloadLifetime).ToUnixTimeSeconds());
        return WebEncoders.Base64UrlEncode(downloads.Protect(bytes));
    }

    private static byte[]? Unprotect(IDataProtector protector, string? token)
    {
        if (string.IsNullOrEmpty(token) || token.Length > 1_000)
        {
            return null;
        }

        try
        {
            return protector.Unprotect(WebEncoders.Base64UrlDecode(token));
        }
        catch (Exception forged) when (forged is CryptographicException or FormatException)
        {
            return null;
        }
    }
}

public enum DownloadRecipient : byte
{
    Customer = 1,
    Freelancer = 2,
}

/// <param name="Generation">Older than the commission's generation: revoked.</param>
public sealed record DownloadToken(Guid Commission, DownloadRecipient Recipient, int Generation, DateTimeOffset Expires, bool HasExpired);
