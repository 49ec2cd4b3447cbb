namespace CaveComm.Providers;

/// <summary>The configuration lacks what the outside parties need.</summary>
public class ProviderConfigurationException(IReadOnlyList<string> missing)
    : Exception($"The configuration is not complete:{string.Concat(missing.Select(setting => $"\n  - {setting}"))}")
{
    public IReadOnlyList<string> Missing { get; } = missing;
}
