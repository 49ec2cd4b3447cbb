using System.Net;
using System.Net.Sockets;
using Npgsql;

namespace CaveComm.Tests.EventStore;

/// <summary>The way to a server, on which an answer can get lost after the server has done what it was asked.</summary>
internal sealed class Wire : IAsyncDisposable
{
    private readonly string server;
    private readonly TcpListener listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource over = new();
    private readonly Task listening;

    public Wire(string server)
    {
        this.server = server;
        listener.Start();
        listening = Listen();
    }

    /// <summary>Looks at each whole answer but a greeting. What it returns goes to the client in its place, and that is the connection's end; null lets the answer through.</summary>
    public Func<byte[], byte[]?> Instead { get; set; } = _ => null;

    // What ends an answer: the server is ready for the next question, and in no transaction.
    private static ReadOnlySpan<byte> Ready => "Z\0\0\0\u0005I"u8;

    public string ConnectionString => new NpgsqlConnectionStringBuilder(server)
    {
        Host = "127.0.0.1", Port = ((IPEndPoint)listener.LocalEndpoint).Port, SslMode = SslMode.Disable,
    }.ConnectionString;

    public async ValueTask DisposeAsync()
    {
        await over.CancelAsync();
        await listening;
        listener.Dispose();
        over.Dispose();
    }

    private async Task Listen()
    {
        var lines = new List<Task>();
        try
        {
            while (true)
                lines.Add(Connect(await listener.AcceptTcpClientAsync(over.Token)));
        }
        catch (OperationCanceledException)
        {
            await Task.WhenAll(lines);
        }
    }

    private async Task Connect(TcpClient client)
    {
        using var target = new TcpClient();
        using (client)
        {
            try
            {
                var to = new NpgsqlConnectionStringBuilder(server);
                await target.ConnectAsync(to.Host!, to.Port, over.Token);
                await await Task.WhenAny(client.GetStream().CopyToAsync(target.GetStream(), over.Token), Answer(target.GetStream(), client.GetStream()));
            }
            catch (Exception ended) when (ended is IOException or SocketException or OperationCanceledException)
            {
                // One of the two has gone, or the test is over.
            }
        }
    }

    private async Task Answer(NetworkStream from, NetworkStream to)
    {
        var (part, answer, isGreeted) = (new byte[1 << 16], new List<byte>(), false);
        while (await from.ReadAsync(part, over.Token) is > 0 and var read)
        {
            answer.AddRange(part.AsSpan(0, read));
            var whole = answer.ToArray();
            var isWhole = whole.AsSpan().EndsWith(Ready);
            if (isGreeted && !isWhole)
                continue;
            if (isGreeted && Instead(whole) is { } instead)
            {
                await to.WriteAsync(instead, over.Token);
                return;
            }

            isGreeted |= isWhole;
            answer.Clear();
            await to.WriteAsync(whole, over.Token);
        }
    }
}
