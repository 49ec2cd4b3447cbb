using System.CommandLine;
using CaveComm.Api.Pages;

namespace CaveComm.Api.CommandLine.Events;

internal static class SealEvents
{
    public static Command Build()
    {
        var data = CommonOptions.Data();
        var file = new Argument<string>("file") { Description = "Where to write. Keep it where whoever might rewrite the database cannot reach it.", HelpName = "FILE" };
        var command = new Command("seal", "Write a signed list of every stream's newest hash, to check history against later.") { file, data };
        command.SetAction((parsed, cancel) => OperatorStore.Run(
            parsed.GetRequiredValue(data), opened => Run(opened, parsed.GetRequiredValue(file), cancel), cancel));
        return command;
    }

    private static async Task<int> Run(OperatorStore opened, string file, CancellationToken cancel)
    {
        await using var output = UnfinishedFile.Beside(file);
        var count = await Seal.Write(opened.History.Heads(cancel), opened.SigningKeys, TimeProvider.System.GetUtcNow(), output.Stream, _ => { }, cancel);
        output.Complete();
        Console.WriteLine($"Sealed {Numbers.Of(count)} streams in {file}.");
        return ExitCode.Success;
    }
}
