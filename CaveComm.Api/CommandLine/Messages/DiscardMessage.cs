using System.CommandLine;
using CaveComm.Api.Admin;

namespace CaveComm.Api.CommandLine.Messages;

/// <summary>Takes a dead letter off the list; it stays readable, with the reason.</summary>
internal static class DiscardMessage
{
    public static Command Build()
    {
        var data = CommonOptions.Data();
        var id = new Argument<Guid>("id") { Description = "The dead letter, as 'messages list' shows it.", HelpName = "ID" };
        var reason = MessagesCommand.Reason("What was done about it; stands beside the letter and in the log.", required: true);
        var command = new Command("discard", "Take a dead letter off the list because it has been dealt with.") { id, reason, data };
        command.SetAction((parsed, cancel) => OperatorStore.Run(
            parsed.GetRequiredValue(data),
            async opened =>
            {
                var asker = Asker.Operator(parsed.GetRequiredValue(reason));
                if (await opened.Messages.Discard(parsed.GetRequiredValue(id), asker.Reason!, asker, cancel) is { } refusal)
                {
                    throw new CommandFailure(refusal.Detail);
                }

                Console.WriteLine($"{parsed.GetRequiredValue(id):D} is discarded.");
                return ExitCode.Success;
            },
            cancel));
        return command;
    }
}
