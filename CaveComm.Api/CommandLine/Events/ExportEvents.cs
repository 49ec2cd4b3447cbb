using System.CommandLine;
using CaveComm.Api.Audit;
using CaveComm.Api.Pages;
using Microsoft.Win32.SafeHandles;

namespace CaveComm.Api.CommandLine.Events;

/// <summary>The log, or a part of it, as NDJSON: the same lines that <c>/audit/events</c> sends. Memory does not grow with it.</summary>
internal static class ExportEvents
{
    private const nint StandardOutput = 1;

    public static Command Build()
    {
        var data = CommonOptions.Data();
        var file = new Argument<string?>("file") { Description = "Where to write; standard output when left out.", HelpName = "FILE", Arity = ArgumentArity.ZeroOrOne };
        var after = new Option<long>("--after") { Description = "Only what stands behind this position in the log.", HelpName = "position" };
        var type = new Option<string?>("--type") { Description = "Only events of this type, such as commission.accepted.", HelpName = "type" };
        var stream = new Option<string?>("--stream") { Description = "Only this stream.", HelpName = "key" };
        var from = Instant("--from", "Only what was recorded at or after this time.");
        var to = Instant("--to", "Only what was recorded at or before this time.");
        var command = new Command("export", "Write events as NDJSON, one line for each.") { file, after, type, stream, from, to, data };
        command.SetAction((parsed, cancel) => OperatorStore.Run(
            parsed.GetRequiredValue(data),
            opened => Run(
                opened,
                parsed.GetValue(file) is "-" ? null : parsed.GetValue(file),
                new EventFilter(parsed.GetValue(after), parsed.GetValue(type), parsed.GetValue(stream), parsed.GetValue(from), parsed.GetValue(to)),
                cancel),
            cancel));
        return command;
    }

    private static Option<DateTimeOffset?> Instant(string name, string description) => new(name)
    {
        Description = description,
        HelpName = "time",
        CustomParser = given =>
        {
            var instant = AuditQuery.ParseInstant(given.Tokens[0].Value);
            if (instant is null)
            {
                given.AddError($"{name}: '{given.Tokens[0].Value}' is no time such as 2026-03-01T12:00:00Z.");
            }

            return instant;
        },
    };

    private static async Task<int> Run(OperatorStore opened, string? file, EventFilter filter, CancellationToken cancel)
    {
        if (filter.Stream is { } key && await opened.Audit.VersionOf(key, cancel) is null)
        {
            throw new CommandFailure(await opened.Audit.NoSuchStream(key, cancel));
        }

        var count = 0L;
        if (file is null)
        {
            // The console's own stream swallows that the reader has gone, and all the rest of the log would be read for nobody.
            await using var output = new FileStream(new SafeFileHandle(StandardOutput, ownsHandle: false), FileAccess.Write, bufferSize: 0);
            count = await Write(opened, filter, output, cancel);
        }
        else
        {
            await using var output = UnfinishedFile.Beside(file);
            count = await Write(opened, filter, output.Stream, cancel);
            output.Complete();
        }

        await Console.Error.WriteLineAsync($"{Numbers.Of(count)} events{(file is null ? "" : $" in {file}")}.");
        return ExitCode.Success;
    }

    private static async Task<long> Write(OperatorStore opened, EventFilter filter, Stream output, CancellationToken cancel)
    {
        using var line = ProgressLine.OnError("Export", "events");
        var ahead = Math.Max(1, await opened.Audit.End(cancel) - filter.After);
        var written = 0L;
        await EventLines.Write(
            opened.History.Read(filter, cancel),
            output,
            (count, position) =>
            {
                written = count;
                line.Show(count, Math.Min(1, (double)(position - filter.After) / ahead));
            },
            cancel);
        await output.FlushAsync(cancel);
        return written;
    }
}
