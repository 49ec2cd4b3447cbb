using Shouldly;

namespace CaveComm.Tests.Messaging.Conformance;

/// <summary>What was asked for, against what became of it.</summary>
internal static class Asked
{
    /// <summary>Every number asked for, written by the commit that sent its messages.</summary>
    public const string Stream = "asked";

    /// <summary>In the database exactly once, outside at least once, and nothing that nobody asked for.</summary>
    /// <param name="pings">Whether each number went out as a <see cref="Ping"/> as well.</param>
    public static async Task ShouldBeDone(MessagingWorld world, OutsideWorld outside, bool pings)
    {
        var asked = await world.BookedIn(Stream);
        asked.ShouldNotBeEmpty();
        var keys = new HashSet<string>(outside.Done.Select(effect => effect.Key));
        var expected = new HashSet<string>();
        foreach (var stream in asked.GroupBy(number => $"work/{number % 4}"))
        {
            (await world.BookedIn(stream.Key)).Order().ShouldBe(stream.Order(), stream.Key);
            (await world.BookedIn($"{stream.Key}/confirmed")).Order().ShouldBe(stream.Order(), $"{stream.Key}/confirmed");
            expected.UnionWith(stream.SelectMany(number => (string[])[$"{stream.Key}/book/{number}", $"{stream.Key}/confirm/{number}"]));
        }

        expected.UnionWith(pings ? asked.Select(number => $"ping/{number}") : []);
        keys.Order().ShouldBe(expected.Order());
    }
}
