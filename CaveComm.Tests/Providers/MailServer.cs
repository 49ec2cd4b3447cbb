using System.Net;
using System.Net.Sockets;
using System.Text;

namespace CaveComm.Tests.Providers;

/// <summary>An SMTP server of a few lines: takes mails as they come over the wire, and answers a command otherwise where a test says so.</summary>
internal sealed class MailServer : IAsyncDisposable
{
    private readonly TcpListener listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource stop = new();
    private readonly Dictionary<string, string> answers = new(StringComparer.OrdinalIgnoreCase);
    private readonly Task serving;

    public MailServer(params ReadOnlySpan<(string Command, string Answer)> otherwise)
    {
        foreach (var (command, answer) in otherwise)
        {
            answers[command] = answer;
        }

        listener.Start();
        serving = Serve();
    }

    public int Port => ((IPEndPoint)listener.LocalEndpoint).Port;

    /// <summary>The mails that were accepted, byte for byte.</summary>
    public List<string> Mails { get; } = [];

    public List<string> Commands { get; } = [];

    public async ValueTask DisposeAsync()
    {
        await stop.CancelAsync();
        listener.Dispose();
        await serving.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        stop.Dispose();
    }

    private async Task Serve()
    {
        while (true)
        {
            using var client = await listener.AcceptTcpClientAsync(stop.Token);
            try
            {
                await Talk(client.GetStream());
            }
            catch (IOException)
            {
                // The client hung up, which some tests want.
            }
        }
    }

    private async Task Talk(NetworkStream stream)
    {
        using var reader = new StreamReader(stream, Encoding.Latin1);
        await using var writer = new StreamWriter(stream, Encoding.Latin1) { NewLine = "\r\n", AutoFlush = true };
        if (answers.GetValueOrDefault("CONNECT") == "silence")
        {
            await Task.Delay(Timeout.Infinite, stop.Token);
        }

        await writer.WriteLineAsync(answers.GetValueOrDefault("CONNECT", "220 mail.test ready"));
        while (await reader.ReadLineAsync(stop.Token) is { } line)
        {
            Commands.Add(line);
            var command = line.Split(' ', ':')[0].ToUpperInvariant();
            var answer = answers.GetValueOrDefault(command, command switch { "DATA" => "354 go on", "QUIT" => "221 bye", _ => "250 ok" });
            await writer.WriteLineAsync(answer);
            if (command == "DATA" && answer.StartsWith("354", StringComparison.Ordinal))
            {
                var mail = new StringBuilder();
                while (await reader.ReadLineAsync(stop.Token) is { } part && part != ".")
                {
                    mail.Append(part).Append("\r\n");
                }

                var end = answers.GetValueOrDefault("END", "250 taken");
                if (end.StartsWith("250", StringComparison.Ordinal))
                {
                    Mails.Add(mail.ToString());
                }

                await writer.WriteLineAsync(end);
            }
            else if (command == "QUIT")
            {
                return;
            }
        }
    }
}
