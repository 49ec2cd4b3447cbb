using System.CommandLine;
using CaveComm.Api.Pages;

namespace CaveComm.Api.CommandLine.Events;

/// <summary>Walks the whole log and recomputes every hash; with a seal, looks first whether every stream still holds what was sealed.</summary>
internal static class VerifyEvents
{
    public static Command Build()
    {
        var data = CommonOptions.Data();
        var against = new Option<string?>("--against") { Description = "A file that 'events seal' wrote.", HelpName = "FILE" };
        var command = new Command("verify", "Recompute the hash of every event, and name the first that does not fit.") { against, data };
        command.SetAction((parsed, cancel) => OperatorStore.Run(
            parsed.GetRequiredValue(data), opened => Run(opened, parsed.GetValue(against), cancel), cancel));
        return command;
    }

    private static async Task<int> Run(OperatorStore opened, string? against, CancellationToken cancel)
    {
        if (against is not null && await Compare(opened, against, cancel) is { } rewritten)
        {
            return await Tell(rewritten, $"History is not what was sealed in {against}.");
        }

        using var line = ProgressLine.OnError("Verify", "events");
        var verified = await opened.History.Verify(
            new DirectProgress<VerificationProgress>(it => line.Show(it.EventsDone, it.EventsTotal == 0 ? 1 : (double)it.EventsDone / it.EventsTotal)), cancel);
        line.Finish(verified.Events);
        if (verified.Broken is { } broken)
        {
            return await Tell(broken, "The log is not what was written.");
        }

        var unsealed = verified.Unsealed == 0 ? "" : $" Without a hash: {Numbers.Of(verified.Unsealed)}; another program wrote them, or somebody removed it, which only a seal tells.";
        Console.WriteLine($"{Numbers.Of(verified.Events)} events in {Numbers.Of(verified.Streams)} streams: every one fits.{unsealed}");
        return ExitCode.Success;
    }

    private static async Task<BrokenEvent?> Compare(OperatorStore opened, string path, CancellationToken cancel)
    {
        if (!File.Exists(path))
        {
            throw new CommandFailure($"There is no file {path}.");
        }

        await using var file = File.OpenRead(path);
        var (seal, length) = await Seal.Check(file, opened.SigningKeys, cancel);
        using var line = ProgressLine.OnError("Compare", "streams");
        var rewritten = await opened.History.Compare(
            Seal.Heads(file, length, count => line.Show(count, seal.Count == 0 ? 1 : (double)count / seal.Count), cancel), cancel);
        if (rewritten is null)
        {
            line.Finish(seal.Count);
            Console.WriteLine($"The {Numbers.Of(seal.Count)} streams sealed at {seal.At} still hold what they held.");
        }

        return rewritten;
    }

    private static async Task<int> Tell(BrokenEvent broken, string verdict)
    {
        await Console.Error.WriteLineAsync(
            $"cavecomm: {verdict} First: {broken.StreamKey}, version {broken.Version}"
            + $"{(broken.Sequence is { } position ? $", position {position}" : "")}{(broken.EventId is { } id ? $", event {id}" : "")}: {broken.Reason}");
        return ExitCode.Failure;
    }
}
