using System.Net;
using System.Net.Sockets;

namespace CaveComm.Api.CommandLine;

/// <summary>Ports of this machine, the loopback address unless told otherwise.</summary>
internal static class Ports
{
    /// <returns>The port itself, or a free one for 0.</returns>
    /// <exception cref="CommandFailure">Another program listens there.</exception>
    public static int Claim(int port, IPAddress? address = null)
    {
        try
        {
            using var listener = new TcpListener(address ?? IPAddress.Loopback, port);
            listener.Start();
            return ((IPEndPoint)listener.LocalEndpoint).Port;
        }
        catch (SocketException refused) when (refused.SocketErrorCode == SocketError.AddressAlreadyInUse)
        {
            throw new CommandFailure(
                $"Port {port} on {address ?? IPAddress.Loopback} is used by another program. Stop that one, or choose another port with --port (0 takes a free one).",
                ExitCode.InUse);
        }
        catch (SocketException refused) when (refused.SocketErrorCode == SocketError.AccessDenied)
        {
            throw new CommandFailure($"Port {port} is reserved for root. Choose one above 1023 with --port.");
        }
    }
}
