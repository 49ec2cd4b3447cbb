using System.CommandLine;
using CaveComm.Api.Audit;
using CaveComm.Domain;

namespace CaveComm.Api.CommandLine.Messages;

/// <summary>What an operator sees of messages and does with the dead ones, whether the product runs or not.</summary>
internal static class MessagesCommand
{
    public static Command Build() => new("messages", "List what is still to be done; send dead letters again, or discard them.")
    {
        ListMessages.Build(),
        ReplayMessages.Build(),
        DiscardMessage.Build(),
    };

    internal static Option<string?> Type() => new("--type") { Description = "Only this type, such as send-payout.", HelpName = "type" };

    internal static Option<string?> Queue() => new("--queue") { Description = "Only this queue.", HelpName = "queue" };

    internal static Option<string?> Reason(string description, bool required = false)
    {
        var reason = new Option<string?>("--reason") { Description = description, HelpName = "text", Required = required };
        reason.Validators.Add(given =>
        {
            var faults = new Faults();
            var text = given.Tokens is [var token] ? token.Value : null;
            if (required)
            {
                faults.RequireText("--reason", text, 2_000);
            }
            else
            {
                faults.LimitText("--reason", text, 2_000);
            }

            foreach (var fault in faults.ByField.Values.SelectMany(it => it))
            {
                given.AddError($"--reason: {fault}");
            }
        });
        return reason;
    }

    internal static Option<DateTimeOffset?> Since() => new("--since")
    {
        Description = "Only what died at or after this time.",
        HelpName = "time",
        CustomParser = given =>
        {
            var instant = AuditQuery.ParseInstant(given.Tokens[0].Value);
            if (instant is null)
            {
                given.AddError($"--since: '{given.Tokens[0].Value}' is no time such as 2026-03-01T12:00:00Z.");
            }

            return instant;
        },
    };

    /// <summary>An option that takes a whole number of a range.</summary>
    internal static Option<int> Number(string name, string description, int usual, int most)
    {
        var number = new Option<int>(name) { Description = description, HelpName = "number", DefaultValueFactory = _ => usual };
        number.Validators.Add(given =>
        {
            if (given.Tokens is [var token] && int.TryParse(token.Value, out var value) && (value < 1 || value > most))
            {
                given.AddError($"{name}: {value} is not from 1 to {most}.");
            }
        });
        return number;
    }
}
