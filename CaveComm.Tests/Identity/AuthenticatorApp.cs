using CaveComm.Api.Identity;

namespace CaveComm.Tests.Identity;

/// <summary>The app on somebody's telephone: it was told the secret and shows codes.</summary>
internal static class AuthenticatorApp
{
    private const string Alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

    public static string CodeNow(string secret) => Code(secret, Totp.StepAt(TimeProvider.System.GetUtcNow()));

    public static string Code(string secret, long step) => Totp.Code(Seed(secret), step);

    public static byte[] Seed(string secret)
    {
        var bits = string.Concat(secret.Select(it => Convert.ToString(Alphabet.IndexOf(it, StringComparison.Ordinal), 2).PadLeft(5, '0')));
        return [.. bits.Chunk(8).Where(it => it.Length == 8).Select(it => Convert.ToByte(new string(it), 2))];
    }
}
