using System.Runtime.InteropServices;

namespace CaveComm.Api.CommandLine;

/// <summary>Ctrl-C, SIGTERM and a closed terminal ask the running command to end; it then stops what it started, in order.</summary>
internal sealed class TerminationSignals : IDisposable
{
    private readonly CancellationTokenSource asked = new();
    private readonly List<PosixSignalRegistration> registrations = [];

    public TerminationSignals()
    {
        foreach (var signal in new[] { PosixSignal.SIGINT, PosixSignal.SIGTERM, PosixSignal.SIGHUP })
        {
            registrations.Add(PosixSignalRegistration.Create(signal, told =>
            {
                told.Cancel = true; // The process ends by itself when all is stopped.
                asked.Cancel();
            }));
        }
    }

    public CancellationToken Asked => asked.Token;

    public void Dispose()
    {
        registrations.ForEach(registration => registration.Dispose());
        asked.Dispose();
    }
}
