namespace CaveComm.Sandbox;

/// <summary>Another process runs a sandbox on the same data: two writers would tear its state apart.</summary>
public sealed class SandboxInUseException : Exception
{
    public SandboxInUseException()
    {
    }

    public SandboxInUseException(string message)
        : base(message)
    {
    }

    public SandboxInUseException(string message, Exception innerException)
        : base(message, innerException)
    {
    }
}
