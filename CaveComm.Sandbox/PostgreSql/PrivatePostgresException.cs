namespace CaveComm.Sandbox.PostgreSql;

/// <summary>The private PostgreSQL cannot run here. The message says what is in the way and how to mend it.</summary>
public sealed class PrivatePostgresException : Exception
{
    public PrivatePostgresException(string message)
        : base(message)
    {
    }

    public PrivatePostgresException(string message, Exception innerException)
        : base(message, innerException)
    {
    }

    public PrivatePostgresException()
    {
    }
}
