namespace CaveComm.Tests.Support;

/// <summary>Sizes of tests: scaled to a run that people wait for, or full with <c>./cavecomm test --soak</c>.</summary>
internal static class Soak
{
    public static bool IsOn { get; } = Environment.GetEnvironmentVariable("CAVECOMM_SOAK") == "1";

    public static T Size<T>(T scaled, T full) => IsOn ? full : scaled;
}
