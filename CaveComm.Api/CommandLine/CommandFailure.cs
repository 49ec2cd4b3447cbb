namespace CaveComm.Api.CommandLine;

/// <summary>A command cannot go on; the message tells the operator why and what to do, without a stack trace.</summary>
internal sealed class CommandFailure(string message, int exitCode = ExitCode.Failure) : Exception(message)
{
    public int ExitCode { get; } = exitCode;
}
