using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text.Json;

namespace CaveComm.Sandbox;

/// <summary>What was chosen at the first start and holds ever after: ports, since links and settings name them, and secrets.</summary>
internal sealed record SandboxSettings(
    int StripePort,
    int BtcPayPort,
    int MailPort,
    int SmtpPort,
    string StripeApiKey,
    string StripeWebhookSecret,
    string BtcPayApiKey,
    string BtcPayStoreId,
    string BtcPayWebhookSecret)
{
    private const string Letters = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";

    // Below the ports that systems give to outgoing connections, so that none of those sits on ours at the next start.
    private const int LowestPort = 20000;
    private const int HighestPort = 32000;

    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web) { WriteIndented = true };

    /// <summary>Reads what was kept, makes what is missing, and replaces a kept port that somebody else has taken meanwhile.</summary>
    public static SandboxSettings Load(string path, SandboxOptions options)
    {
        var kept = File.Exists(path) ? JsonSerializer.Deserialize<SandboxSettings>(File.ReadAllText(path), Json) : null;
        var taken = new HashSet<int>();
        var settings = new SandboxSettings(
            Port(options.StripePort, kept?.StripePort, taken),
            Port(options.BtcPayPort, kept?.BtcPayPort, taken),
            Port(options.MailPort, kept?.MailPort, taken),
            Port(options.SmtpPort, kept?.SmtpPort, taken),
            kept?.StripeApiKey ?? "sk_test_" + Secret(40),
            kept?.StripeWebhookSecret ?? "whsec_" + Secret(32),
            kept?.BtcPayApiKey ?? RandomNumberGenerator.GetHexString(40, lowercase: true),
            kept?.BtcPayStoreId ?? Secret(44),
            kept?.BtcPayWebhookSecret ?? Secret(32));
        if (settings != kept)
        {
            WritePrivately(path, settings);
        }

        return settings;
    }

    /// <summary>Writes a file that only its owner may read; a reader sees the old one or the new one, never half of it.</summary>
    public static void WritePrivately<T>(string path, T content)
    {
        var options = new FileStreamOptions { Mode = FileMode.Create, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows())
        {
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        }

        var fresh = path + ".new";
        File.Delete(fresh); // The mode counts only for a file that is made.
        using (var file = new FileStream(fresh, options))
        {
            JsonSerializer.Serialize(file, content, Json);
        }

        File.Move(fresh, path, overwrite: true);
    }

    private static string Secret(int length) => RandomNumberGenerator.GetString(Letters, length);

    private static int Port(int? wanted, int? kept, HashSet<int> taken)
    {
        if (wanted is { } given)
        {
            return given;
        }

        var port = kept ?? Random.Shared.Next(LowestPort, HighestPort);
        while (!taken.Add(port) || !IsFree(port))
        {
            port = Random.Shared.Next(LowestPort, HighestPort);
        }

        return port;
    }

    private static bool IsFree(int port)
    {
        using var probe = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            probe.Bind(new IPEndPoint(IPAddress.Loopback, port));
            probe.Listen(1);
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }
}
