using System.CommandLine;
using CaveComm.Api.Admin;

namespace CaveComm.Api.CommandLine.Projections;

internal static class PauseProjection
{
    public static Command Build()
    {
        var data = CommonOptions.Data();
        var (name, reason) = (ProjectionsCommand.Name(), ProjectionsCommand.Reason());
        var command = new Command("pause", "Stop feeding a view until it is resumed; its readers keep what it has.") { name, reason, data };
        command.SetAction((parsed, cancel) => OperatorStore.Run(
            parsed.GetRequiredValue(data),
            async opened =>
            {
                var projection = parsed.GetRequiredValue(name);
                var changed = await opened.Projections.Pause(projection, Asker.Operator(parsed.GetValue(reason)), cancel);
                Console.WriteLine(changed ? $"{projection} is paused." : $"{projection} was paused already.");
                return ExitCode.Success;
            },
            cancel));
        return command;
    }
}
