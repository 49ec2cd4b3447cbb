using System.CommandLine;
using CaveComm.Api.Admin;
using CaveComm.Api.Pages;

namespace CaveComm.Api.CommandLine.Messages;

/// <summary>Sends dead letters again. A product that runs works them off; without one they wait for its start.</summary>
internal static class ReplayMessages
{
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(250);

    /// <summary>How long the last letters may take before the command no longer waits to see what becomes of them.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    public static Command Build()
    {
        var data = CommonOptions.Data();
        var id = new Argument<Guid?>("id")
        {
            Description = "One dead letter, as 'messages list' shows it; all that fit the options when left out.",
            HelpName = "ID",
            Arity = ArgumentArity.ZeroOrOne,
            CustomParser = given =>
            {
                if (given.Tokens is not [var token])
                {
                    return null;
                }

                if (Guid.TryParse(token.Value, out var named))
                {
                    return named;
                }

                given.AddError($"'{token.Value}' is no message's id; 'messages list' shows them.");
                return null;
            },
        };
        var (type, queue, since) = (MessagesCommand.Type(), MessagesCommand.Queue(), MessagesCommand.Since());
        var error = new Option<string?>("--error") { Description = "Only what was given up for a reason that holds this text.", HelpName = "text" };
        var perSecond = MessagesCommand.Number("--per-second", "How many a second at most.", MessageDesk.UsualPerSecond, MessageDesk.MostPerSecond);
        var reason = MessagesCommand.Reason("Why; stands in the log beside what was done.");
        var command = new Command("replay", "Send dead letters again, in their first order. What dies again stays dead. Alarms are left out unless --type names them.")
        {
            id, type, queue, since, error, perSecond, reason, data,
        };
        command.Validators.Add(given =>
        {
            if (given.GetResult(id) is { Tokens.Count: > 0 } && new Option[] { type, queue, since, error }.Any(it => given.GetResult(it) is { Implicit: false }))
            {
                given.AddError("Name one letter by its ID, or choose several by options; not both.");
            }
        });
        command.SetAction((parsed, cancel) => OperatorStore.Run(
            parsed.GetRequiredValue(data),
            opened =>
            {
                var asker = Asker.Operator(parsed.GetValue(reason));
                return parsed.GetValue(id) is { } one
                    ? One(opened.Messages, one, asker, cancel)
                    : Many(
                        opened.Messages,
                        new ReplayFilter(parsed.GetValue(type), parsed.GetValue(queue), parsed.GetValue(since), parsed.GetValue(error)),
                        parsed.GetValue(perSecond), asker, TimeProvider.System, cancel);
            },
            cancel));
        return command;
    }

    private static async Task<int> One(MessageDesk desk, Guid id, Asker asker, CancellationToken cancel)
    {
        if (await desk.Replay(id, asker, cancel) is { } refusal)
        {
            throw new CommandFailure(refusal.Detail);
        }

        Console.WriteLine($"{id:D} is sent again.");
        return ExitCode.Success;
    }

    private static async Task<int> Many(MessageDesk desk, ReplayFilter filter, int perSecond, Asker asker, TimeProvider clock, CancellationToken cancel)
    {
        var (begun, refusal) = await desk.ReplayAll(filter, perSecond, asker, cancel);
        if (refusal is not null)
        {
            throw new CommandFailure(refusal.Detail);
        }

        var run = begun!;
        using (var line = ProgressLine.OnError("replay", "letters"))
        {
            using var tick = new PeriodicTimer(Look, clock);
            var sentAt = clock.GetTimestamp();
            while (run.EndedAt is null && (run.Waiting > 0 || clock.GetElapsedTime(sentAt) < Patience))
            {
                line.Show(run.Total - run.Waiting, run.Fraction);
                await tick.WaitForNextTickAsync(cancel);
                run = await desk.FindReplay(run.Id, cancel) ?? run;
                sentAt = run.Waiting > 0 ? clock.GetTimestamp() : sentAt;
            }

            line.Finish(run.Total - run.Waiting);
        }

        Console.WriteLine($"{Numbers.Of(run.Total)} sent again: {Numbers.Of(run.Handled)} handled, {Numbers.Of(run.DeadAgain)} dead again, {Numbers.Of(run.UnderWay)} under way.");
        if (run.UnderWay > 0)
        {
            await Console.Error.WriteLineAsync("What is under way is tried again, or waits for a product that runs.");
        }

        return ExitCode.Success;
    }
}
