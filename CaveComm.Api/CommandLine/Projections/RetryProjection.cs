using System.CommandLine;
using CaveComm.Api.Admin;

namespace CaveComm.Api.CommandLine.Projections;

/// <summary>To be called when the cause is mended; what stays parked makes the command fail.</summary>
internal static class RetryProjection
{
    public static Command Build()
    {
        var data = CommonOptions.Data();
        var (name, reason) = (ProjectionsCommand.Name(), ProjectionsCommand.Reason());
        var key = new Option<string?>("--key") { Description = "Only this parked key; otherwise all of them.", HelpName = "key" };
        var command = new Command("retry", "Apply the events of parked keys again, in order.") { name, key, reason, data };
        command.SetAction((parsed, cancel) => OperatorStore.Run(
            parsed.GetRequiredValue(data),
            opened => Run(opened, parsed.GetRequiredValue(name), parsed.GetValue(key), Asker.Operator(parsed.GetValue(reason)), cancel),
            cancel));
        return command;
    }

    private static async Task<int> Run(OperatorStore opened, string name, string? key, Asker asker, CancellationToken cancel)
    {
        var outcome = await opened.Projections.Retry(name, key, asker, cancel);
        Console.WriteLine((outcome, key) switch
        {
            ({ Resumed: 0, StillParked: 0 }, null) => $"{name} has no parked keys.",
            ({ Resumed: 0, StillParked: 0 }, _) => $"{name} has no parked key {key}.",
            _ => $"{name}: {outcome.Resumed} resumed, {outcome.StillParked} still parked.",
        });
        foreach (var parked in outcome.StillParked == 0 ? [] : (await opened.Projections.Show(name, cancel)).ParkedKeys)
        {
            await Console.Error.WriteLineAsync($"  {parked.Key}: event {parked.EventId} at {parked.Sequence}: {parked.Reason}");
        }

        return outcome.StillParked == 0 ? ExitCode.Success : ExitCode.Failure;
    }
}
