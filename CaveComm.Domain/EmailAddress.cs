using System.Net.Mail;

namespace CaveComm.Domain;

/// <summary>The shape of an e-mail address: enough to mail to it, and never enough to smuggle a header.</summary>
public static class EmailAddress
{
    public const int MaxLength = 254;

    public static bool IsValid(string? address) => address is { Length: > 2 and <= MaxLength }
        && !address.Any(c => char.IsControl(c) || char.IsWhiteSpace(c) || c is '<' or '>' or ',' or ';' or '"')
        && MailAddress.TryCreate(address, out var parsed) && parsed.Address == address && parsed.Host.Length > 0;
}
