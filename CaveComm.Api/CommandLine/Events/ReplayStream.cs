using System.CommandLine;
using System.Globalization;

namespace CaveComm.Api.CommandLine.Events;

internal static class ReplayStream
{
    public static Command Build()
    {
        var data = CommonOptions.Data();
        var stream = new Option<string>("--stream") { Description = "The stream's key, such as commission:0195….", HelpName = "key", Required = true };
        var to = new Option<long?>("--to") { Description = "The last version to tell.", HelpName = "version" };
        to.Validators.Add(given =>
        {
            if (given.Tokens is [var token] && long.TryParse(token.Value, CultureInfo.InvariantCulture, out var number) && number < 1)
            {
                given.AddError($"There is no version {number}: the first event has 1.");
            }
        });
        var command = new Command("replay", "Tell a stream's story, one line for each event: version, time, who, what.") { stream, to, data };
        command.SetAction((parsed, cancel) => OperatorStore.Run(
            parsed.GetRequiredValue(data), opened => Run(opened, parsed.GetRequiredValue(stream), parsed.GetValue(to), cancel), cancel));
        return command;
    }

    private static async Task<int> Run(OperatorStore opened, string key, long? to, CancellationToken cancel)
    {
        if (await opened.Audit.VersionOf(key, cancel) is null)
        {
            throw new CommandFailure(await opened.Audit.NoSuchStream(key, cancel));
        }

        var story = await opened.Audit.Stream(key, to, at: null, cancel);
        Console.WriteLine(TextTable.Of(
            [">VERSION", "TIME", "WHO", "WHAT"],
            [.. story.Events.Select(it => new[]
            {
                it.Version.ToString(CultureInfo.InvariantCulture), it.At.UtcDateTime.ToString("yyyy-MM-dd HH:mm:ss", CultureInfo.InvariantCulture), it.Actor ?? "-", OneLine(it.Text),
            })]));
        return ExitCode.Success;
    }

    // What people wrote may hold line breaks, and worse: a terminal obeys control characters.
    private static string OneLine(string text) => string.Concat(text.Select(it => char.IsControl(it) ? ' ' : it));
}
