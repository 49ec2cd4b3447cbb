namespace CaveComm.Sandbox.PostgreSql;

/// <summary>How the private server runs; the defaults are those for data that people keep.</summary>
public sealed record PrivatePostgresOptions
{
    /// <summary>False only for tests whose data nobody misses: nothing is forced to disk.</summary>
    public bool Durable { get; init; } = true;

    /// <summary>Enough for several nodes with a pool of a hundred each.</summary>
    public int MaxConnections { get; init; } = 400;

    /// <summary>The database that is made when it is missing, and that the connection string names.</summary>
    public string Database { get; init; } = "cavecomm";
}
