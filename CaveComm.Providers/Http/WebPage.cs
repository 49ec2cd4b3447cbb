namespace CaveComm.Providers.Http;

/// <summary>Addresses that providers name, and that people are sent to.</summary>
internal static class WebPage
{
    /// <returns>Null for what is no absolute address of a web page: whatever else a link can hold (<c>javascript:</c>, a file) is nobody's to follow.</returns>
    public static Uri? Of(string? text) => Uri.TryCreate(text, UriKind.Absolute, out var page) && (page.Scheme == Uri.UriSchemeHttps || page.Scheme == Uri.UriSchemeHttp) ? page : null;
}
