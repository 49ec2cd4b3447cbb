using System.Globalization;
using FsCheck;
using FsCheck.Fluent;

namespace CaveComm.Tests.Support;

/// <summary>Holds a rule against many random examples.</summary>
/// <remarks>
/// A failure shows the simplest example that it found, and its seed, such as <c>Replay directly at failing step with (12345,678,9)</c>. To see it
/// again, set the environment variable <c>CAVECOMM_TEST_SEED</c> to <c>12345,678,9</c>. <c>CAVECOMM_TEST_EXAMPLES</c> asks for more examples than usual.
/// </remarks>
internal static class Rule
{
    public static void Holds<T>(Gen<T> examples, Func<T, IEnumerable<T>> simpler, Action<T> rule, int count = 400) =>
        Check.One(Configuration(count), Prop.ForAll(Arb.From(examples, simpler), rule));

    public static void Holds<T>(Gen<T> examples, Action<T> rule, int count = 400) => Holds(examples, _ => [], rule, count);

    private static Config Configuration(int count)
    {
        var asked = Environment.GetEnvironmentVariable("CAVECOMM_TEST_EXAMPLES");
        var config = Config.QuickThrowOnFailure
            .WithMaxTest(asked is null ? count : int.Parse(asked, CultureInfo.InvariantCulture))
            .WithStartSize(5)
            .WithEndSize(40);
        return Environment.GetEnvironmentVariable("CAVECOMM_TEST_SEED")?.Split(',') is [var seed, var gamma, var size]
            ? config.WithReplay(new Replay(
                new Rnd(ulong.Parse(seed, CultureInfo.InvariantCulture), ulong.Parse(gamma, CultureInfo.InvariantCulture)),
                int.Parse(size, CultureInfo.InvariantCulture)))
            : config;
    }
}
