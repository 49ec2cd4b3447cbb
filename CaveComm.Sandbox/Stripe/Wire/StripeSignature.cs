using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace CaveComm.Sandbox.Stripe.Wire;

/// <summary>The header <c>Stripe-Signature</c>: HMAC-SHA256 over time, dot and raw body, keyed with the whole secret as text.</summary>
public static class StripeSignature
{
    public const string Header = "Stripe-Signature";

    public static string Of(string body, string secret, DateTimeOffset at)
    {
        var seconds = at.ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture);
        var mac = HMACSHA256.HashData(Encoding.UTF8.GetBytes(secret), Encoding.UTF8.GetBytes($"{seconds}.{body}"));
        return $"t={seconds},v1={Convert.ToHexStringLower(mac)}";
    }
}
