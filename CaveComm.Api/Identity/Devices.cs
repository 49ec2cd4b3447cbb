namespace CaveComm.Api.Identity;

/// <summary>What a device says of itself, in a few words that a person knows it by.</summary>
internal static class Devices
{
    private const int MostOfProduct = 30;

    // The order matters: Edge and Opera say that they are Chrome, and Chrome says that it is Safari.
    private static readonly (string Sign, string Name)[] Browsers =
        [("Edg", "Edge"), ("OPR/", "Opera"), ("Firefox/", "Firefox"), ("FxiOS/", "Firefox"), ("CriOS/", "Chrome"), ("Chrome/", "Chrome"), ("Safari/", "Safari")];

    private static readonly (string Sign, string Name)[] Systems =
        [("Windows", "Windows"), ("Android", "Android"), ("iPhone", "iPhone"), ("iPad", "iPad"), ("Mac OS X", "macOS"), ("CrOS", "ChromeOS"), ("Linux", "Linux")];

    public static string Of(HttpContext http) => Of(http.Request.Headers.UserAgent.ToString());

    public static string Of(string agent)
    {
        var browser = Browsers.FirstOrDefault(it => agent.Contains(it.Sign, StringComparison.Ordinal)).Name;
        var system = Systems.FirstOrDefault(it => agent.Contains(it.Sign, StringComparison.Ordinal)).Name;
        var product = new string([.. agent.TakeWhile(it => char.IsAsciiLetterOrDigit(it) || it is '-' or '_' or '.').Take(MostOfProduct)]);
        var name = browser ?? (product.Length > 0 && product != "Mozilla" ? product : "Unknown");
        return system is null ? name : $"{name} on {system}";
    }
}
