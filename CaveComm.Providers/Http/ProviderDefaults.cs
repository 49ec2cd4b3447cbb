namespace CaveComm.Providers.Http;

internal static class ProviderDefaults
{
    public static readonly TimeSpan RetryPause = TimeSpan.FromMilliseconds(500);
}
