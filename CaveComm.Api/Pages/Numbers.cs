using System.Globalization;

namespace CaveComm.Api.Pages;

/// <summary>How people read figures, on pages and at the terminal.</summary>
internal static class Numbers
{
    /// <summary>Such as <c>1,234,567</c>.</summary>
    public static string Of(long number) => number.ToString("N0", CultureInfo.InvariantCulture);

    /// <summary>Never 100 % before it is done.</summary>
    public static string Percent(double fraction) => string.Create(CultureInfo.InvariantCulture, $"{Math.Floor(fraction * 100):0} %");

    public static string Seconds(double seconds) => seconds switch
    {
        < 120 => string.Create(CultureInfo.InvariantCulture, $"{seconds:0.#} s"),
        < 7200 => string.Create(CultureInfo.InvariantCulture, $"{seconds / 60:0} min"),
        _ => string.Create(CultureInfo.InvariantCulture, $"{seconds / 3600:0} h"),
    };

    public static string Lag(long events, double seconds) => events == 0 ? "up to date" : $"{Of(events)} {(events == 1 ? "event" : "events")}, {Seconds(seconds)}";
}
