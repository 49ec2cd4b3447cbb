namespace CaveComm.Providers.Http;

internal static class ProviderDefaults
{
    public static readonly TimeSpan Timeout = TimeSpan.FromSeconds(20);

    /// <summary>Below the eight hands of the payments queue, so that some are left for the others.</summary>
    public const int MostCalls = 5;

    public static readonly TimeSpan RetryPause = TimeSpan.FromMilliseconds(500);
}
