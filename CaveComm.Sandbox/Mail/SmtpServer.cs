using System.Net;
using System.Net.Sockets;

namespace CaveComm.Sandbox.Mail;

/// <summary>A mail server on loopback that keeps whatever comes.</summary>
internal sealed class SmtpServer : IAsyncDisposable
{
    private const int SessionLimit = 256;
    private static readonly TimeSpan LongestConversation = TimeSpan.FromMinutes(10);

    private readonly SmtpSwitches switches;
    private readonly Action<ReceivedMail> keep;
    private readonly TimeProvider time;
    private readonly Lock gate = new();
    private readonly Dictionary<Socket, Task> sessions = [];
    private readonly CancellationTokenSource stopping = new();
    private Socket? listener;
    private Task accepting = Task.CompletedTask;

    public SmtpServer(int port, SmtpSwitches switches, Action<ReceivedMail> keep, TimeProvider time)
    {
        this.switches = switches;
        this.keep = keep;
        this.time = time;
        Port = port;
        Open();
    }

    public int Port { get; private set; }

    public bool IsDown => listener is null;

    /// <summary>Down: new connections are refused and those that stand are cut, as when the machine is gone. The port is kept for later.</summary>
    public async Task SetDown(bool down)
    {
        if (down && listener is not null)
        {
            await Close();
        }
        else if (!down && listener is null)
        {
            Open();
        }
    }

    public async ValueTask DisposeAsync()
    {
        await stopping.CancelAsync();
        await Close();
        stopping.Dispose();
    }

    private void Open()
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            socket.Bind(new IPEndPoint(IPAddress.Loopback, Port));
            socket.Listen(128);
        }
        catch (SocketException)
        {
            socket.Dispose();
            throw;
        }

        Port = ((IPEndPoint)socket.LocalEndPoint!).Port;
        listener = socket;
        accepting = Accept(socket);
    }

    private async Task Close()
    {
        listener?.Dispose();
        listener = null;
        await accepting;
        Task[] running;
        lock (gate)
        {
            foreach (var socket in sessions.Keys)
            {
                socket.Dispose();
            }

            running = [.. sessions.Values];
        }

        await Task.WhenAll(running);
    }

    private async Task Accept(Socket listening)
    {
        while (true)
        {
            Socket connection;
            try
            {
                connection = await listening.AcceptAsync(stopping.Token);
            }
            catch (SocketException gone) when (gone.SocketErrorCode is SocketError.ConnectionReset or SocketError.ConnectionAborted)
            {
                continue; // A client that left while it waited in line.
            }
            catch (Exception ended) when (ended is SocketException or ObjectDisposedException or OperationCanceledException)
            {
                return;
            }

            lock (gate)
            {
                if (sessions.Count >= SessionLimit)
                {
                    connection.Dispose();
                    continue;
                }

                // Registered before it runs, so that it always finds itself to take out.
                sessions[connection] = Task.Run(() => Converse(connection), CancellationToken.None);
            }
        }
    }

    private async Task Converse(Socket connection)
    {
        try
        {
            connection.NoDelay = true;
            await using var stream = new NetworkStream(connection, ownsSocket: false);
            using var tooLong = new CancellationTokenSource(LongestConversation, time);
            using var both = CancellationTokenSource.CreateLinkedTokenSource(tooLong.Token, stopping.Token);
            await new SmtpSession(stream, switches, keep).Run(both.Token);
        }
        catch (Exception ended) when (ended is IOException or SocketException or ObjectDisposedException or OperationCanceledException)
        {
            // The client went away, or we are closing: a mail that was not whole was not kept.
        }
        finally
        {
            lock (gate)
            {
                sessions.Remove(connection);
            }

            connection.Dispose();
        }
    }
}
