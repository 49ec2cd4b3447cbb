using System.CommandLine;
using CaveComm.Api.Admin;
using CaveComm.Api.Pages;

namespace CaveComm.Api.CommandLine.Projections;

/// <summary>Rebuilds in this process, beside a product that may run, and returns when the new table is in place.</summary>
internal static class RebuildProjection
{
    public static Command Build()
    {
        var data = CommonOptions.Data();
        var (name, reason) = (ProjectionsCommand.Name(), ProjectionsCommand.Reason());
        var command = new Command("rebuild", "Fold a view anew from the whole log. Readers keep the old one until the new one is complete.") { name, reason, data };
        command.SetAction((parsed, cancel) => OperatorStore.Run(
            parsed.GetRequiredValue(data), opened => Run(opened, parsed.GetRequiredValue(name), Asker.Operator(parsed.GetValue(reason)), cancel), cancel));
        return command;
    }

    private static async Task<int> Run(OperatorStore opened, string name, Asker asker, CancellationToken cancel)
    {
        using var line = ProgressLine.OnError(name, "events");
        var last = 0L;
        var progress = new DirectProgress<RebuildProgress>(it =>
        {
            last = it.EventsDone;
            line.Show(it.EventsDone, it.Fraction);
        });
        await opened.Projections.Rebuild(name, asker, progress, cancel);
        line.Finish(last);
        Console.WriteLine($"{name} is rebuilt: {Numbers.Of(last)} events.");
        return ExitCode.Success;
    }
}
