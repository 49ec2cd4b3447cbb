using CaveComm.Tests.Support;
using Shouldly;

namespace CaveComm.Tests.CommandLine;

public sealed class DemoTests : IDisposable
{
    private readonly TestFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public async Task The_demo_plays_its_five_stories_on_a_product_of_its_own_and_every_check_holds()
    {
        await using var demo = CaveCommProcess.Start("demo", "--data", folder.Path);
        await demo.Shown("checks");

        (await demo.Ended()).ShouldBe(0, demo.Output + demo.Errors);
        demo.Output.ShouldNotContain("FAILED");
        foreach (var happened in new[] { "commission.paid-out", "commission.declined", "Paid on delivery, by BTCPay", "Accepted twice at once" })
        {
            demo.Output.ShouldContain(happened);
        }

        File.Exists(folder["up.json"]).ShouldBeFalse();
    }

    [Fact]
    public async Task Beside_a_running_product_the_demo_uses_that_one_and_leaves_it_running()
    {
        await using var up = CaveCommProcess.Start("up", "--port", "0", "--data", folder.Path);
        await up.Ready();

        await using var demo = CaveCommProcess.Start("demo", "--data", folder.Path);
        await demo.Shown("checks");

        (await demo.Ended()).ShouldBe(0, demo.Output + demo.Errors);
        demo.Output.ShouldNotContain("one is started");
        File.Exists(folder["up.json"]).ShouldBeTrue();
    }
}
