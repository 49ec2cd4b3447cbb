using Shouldly;

namespace CaveComm.Tests.Support;

/// <summary>Waits for a condition, with a deadline, instead of sleeping and hoping.</summary>
public static class Eventually
{
    public static async Task Holds(string what, Func<Task<bool>> condition, TimeSpan? within = null)
    {
        var deadline = within ?? TimeSpan.FromSeconds(60);
        var began = TimeProvider.System.GetTimestamp();
        using var every = new PeriodicTimer(TimeSpan.FromMilliseconds(25));
        while (!await condition())
        {
            (TimeProvider.System.GetElapsedTime(began) < deadline).ShouldBeTrue($"{what}: not within {deadline.TotalSeconds} s");
            await every.WaitForNextTickAsync(TestContext.Current.CancellationToken);
        }
    }

    public static Task Holds(string what, Func<bool> condition, TimeSpan? within = null) =>
        Holds(what, () => Task.FromResult(condition()), within);
}
