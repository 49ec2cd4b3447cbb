namespace CaveComm.Api.CommandLine;

/// <summary>What a command answers to the shell.</summary>
internal static class ExitCode
{
    public const int Success = 0;

    /// <summary>It ran, and something was wrong; what, stands on standard error.</summary>
    public const int Failure = 1;

    /// <summary>The command line itself was not understood.</summary>
    public const int Usage = 2;

    /// <summary>The port or the data folder belongs to another process at the moment.</summary>
    public const int InUse = 3;
}
