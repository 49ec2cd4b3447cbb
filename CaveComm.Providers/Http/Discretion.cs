namespace CaveComm.Providers.Http;

/// <summary>Providers like to quote what was wrong. A refusal's reason is kept in events and logs, so the customer's data is taken out of it.</summary>
internal static class Discretion
{
    public static string Without(string reason, params ReadOnlySpan<string> personal)
    {
        foreach (var text in personal)
        {
            reason = string.IsNullOrWhiteSpace(text) ? reason : reason.Replace(text, "…", StringComparison.OrdinalIgnoreCase);
        }

        return reason;
    }
}
