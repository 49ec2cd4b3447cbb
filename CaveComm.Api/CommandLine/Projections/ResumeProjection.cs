using System.CommandLine;
using CaveComm.Api.Admin;

namespace CaveComm.Api.CommandLine.Projections;

internal static class ResumeProjection
{
    public static Command Build()
    {
        var data = CommonOptions.Data();
        var (name, reason) = (ProjectionsCommand.Name(), ProjectionsCommand.Reason());
        var command = new Command("resume", "Go on feeding a view that was paused.") { name, reason, data };
        command.SetAction((parsed, cancel) => OperatorStore.Run(
            parsed.GetRequiredValue(data),
            async opened =>
            {
                var projection = parsed.GetRequiredValue(name);
                var changed = await opened.Projections.Resume(projection, Asker.Operator(parsed.GetValue(reason)), cancel);
                Console.WriteLine(changed ? $"{projection} goes on." : $"{projection} was not paused.");
                return ExitCode.Success;
            },
            cancel));
        return command;
    }
}
