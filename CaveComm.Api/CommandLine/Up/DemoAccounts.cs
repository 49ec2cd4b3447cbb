using System.Security.Cryptography;
using System.Text.Json.Serialization;

namespace CaveComm.Api.CommandLine.Up;

/// <summary>The people of a sandbox. Their passwords are made once and stay with the data folder.</summary>
internal sealed record DemoAccounts(DemoAccount Freelancer, DemoAccount Second, DemoAccount Admin, DemoAccount Auditor)
{
    [JsonIgnore]
    public IEnumerable<(string Role, DemoAccount Account)> All =>
        [("freelancer", Freelancer), ("second", Second), ("admin", Admin), ("auditor", Auditor)];

    public static async Task<DemoAccounts> Of(DataFolder data, CancellationToken cancel)
    {
        if (await DataFolder.Read<DemoAccounts>(data.AccountsFile, cancel) is { } kept)
        {
            return kept;
        }

        var made = new DemoAccounts(DemoAccount.Make("mira"), DemoAccount.Make("jonas"), DemoAccount.Make("ada"), DemoAccount.Make("otto"));
        await DataFolder.Write(data.AccountsFile, made, cancel);
        return made;
    }
}

internal sealed record DemoAccount(string Handle, string Username, string Password)
{
    // Without letters and digits that look alike: people will type these.
    private const string Letters = "abcdefghjkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789";

    public static DemoAccount Make(string handle)
    {
        while (true)
        {
            var password = string.Join('-', Enumerable.Range(0, 4).Select(_ => RandomNumberGenerator.GetString(Letters, 5)));
            if (password.Any(char.IsAsciiDigit) && password.Any(char.IsAsciiLetterUpper) && password.Any(char.IsAsciiLetterLower))
            {
                return new DemoAccount(handle, handle, password);
            }
        }
    }
}
