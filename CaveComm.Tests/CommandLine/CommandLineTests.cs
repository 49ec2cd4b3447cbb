using Shouldly;

namespace CaveComm.Tests.CommandLine;

public sealed class CommandLineTests
{
    [Theory]
    [InlineData("jump")]
    [InlineData("up", "--port", "eighty")]
    [InlineData("up", "--port", "70000")]
    [InlineData("up", "--colour", "red")]
    [InlineData("sandbox", "--port", "1")]
    public async Task What_is_not_understood_is_refused_as_wrong_usage(params string[] arguments)
    {
        await using var command = CaveCommProcess.Start(arguments);

        (await command.Ended()).ShouldBe(2);
        command.Errors.ShouldContain(arguments[^1]);
    }

    [Theory]
    [InlineData]
    [InlineData("help")]
    [InlineData("--help")]
    public async Task Help_lists_the_commands(params string[] arguments)
    {
        await using var command = CaveCommProcess.Start(arguments);

        (await command.Ended()).ShouldBe(0);
        foreach (var name in new[] { "up", "sandbox", "demo", "doctor", "bench", "projections", "events", "accounts", "backup", "restore" })
        {
            command.Output.ShouldContain($"  {name} ");
        }
    }

    [Fact]
    public async Task A_data_folder_that_cannot_be_made_is_named_with_what_to_do()
    {
        await using var command = CaveCommProcess.Start("up", "--port", "0", "--data", "/dev/null/data");

        (await command.Ended()).ShouldBe(1);
        command.Errors.ShouldContain("/dev/null/data");
        command.Errors.ShouldContain("--data");
    }
}
