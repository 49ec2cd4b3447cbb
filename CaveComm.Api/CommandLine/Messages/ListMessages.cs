using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using CaveComm.Api.Admin;
using CaveComm.Api.Http;
using CaveComm.Api.Pages;

namespace CaveComm.Api.CommandLine.Messages;

internal static class ListMessages
{
    private const int UsualLimit = 50;
    private const int ShownOfReason = 70;
    private static readonly JsonSerializerOptions Indented = new(Http.Json.Options) { WriteIndented = true };

    public static Command Build()
    {
        var data = CommonOptions.Data();
        var (type, queue) = (MessagesCommand.Type(), MessagesCommand.Queue());
        var state = new Option<string?>("--state") { Description = "Only these; all but discarded ones when left out.", HelpName = "state" };
        state.AcceptOnlyFromAmong([.. Enum.GetValues<MessageState>().Select(MessageWords.Of)]);
        var group = new Option<string?>("--group") { Description = "Only this group, such as commission:0195….", HelpName = "key" };
        var limit = MessagesCommand.Number("--limit", "How many at most.", UsualLimit, Paging.MostItems);
        var after = new Option<string?>("--after") { Description = "Go on behind an earlier list: what it named at its end.", HelpName = "cursor" };
        after.Validators.Add(given =>
        {
            if (given.Tokens is [var token] && MessageCursors.Read(token.Value) is null)
            {
                given.AddError("--after: take it from the end of an earlier list.");
            }
        });
        var json = new Option<bool>("--json") { Description = "As JSON, for programs: what GET /admin/messages answers." };
        var command = new Command("list", "Show messages: the dead ones first, then the others as they are due.") { state, type, queue, group, limit, after, json, data };
        command.SetAction((parsed, cancel) => OperatorStore.Run(
            parsed.GetRequiredValue(data),
            opened => Run(
                opened.Messages,
                new MessageFilter(
                    parsed.GetValue(state) is { } named ? Enum.Parse<MessageState>(named, ignoreCase: true) : null, parsed.GetValue(type), parsed.GetValue(queue), parsed.GetValue(group)),
                new PageRequest(parsed.GetValue(limit), []),
                parsed.GetValue(after) is { } cursor ? MessageCursors.Read(cursor) : null,
                parsed.GetValue(json),
                cancel),
            cancel));
        return command;
    }

    internal static string Table(IReadOnlyList<MessageDetail> some) => some is []
        ? "No message fits."
        : TextTable.Of(
            ["STATE", "TYPE", "QUEUE", ">ATTEMPTS", "WHEN", "ID", "WHAT WENT WRONG"],
            [.. some.Select(it => new[]
            {
                MessageWords.Of(it.State), it.Type, it.Queue, Numbers.Of(it.Attempts),
                (it.DiscardedAt ?? it.DiedAt ?? it.DueAt ?? it.SentAt).UtcDateTime.ToString("yyyy-MM-dd HH:mm:ss", CultureInfo.InvariantCulture),
                it.Id.ToString("D"), Short(it.Reason ?? (it.Errors is [.., var last] ? last.Message : "")),
            })]);

    private static async Task<int> Run(MessageDesk desk, MessageFilter filter, PageRequest page, MessageCursor? after, bool json, CancellationToken cancel)
    {
        var found = page.Cut(await desk.List(filter, page.Rows, after, cancel), it => MessageCursors.Parts(it.Cursor));
        var list = new MessageList([.. found.Items.Select(MessageDetail.Of)], found.Next, MessageTotals.Of(await desk.Measure(cancel)));
        Console.WriteLine(json ? JsonSerializer.Serialize(list, Indented) : Table(list.Items));
        if (!json && list.Next is { } next)
        {
            await Console.Error.WriteLineAsync($"There are more: --after {next}");
        }

        return ExitCode.Success;
    }

    private static string Short(string text)
    {
        var line = text.ReplaceLineEndings(" ");
        return line.Length <= ShownOfReason ? line : $"{line[..ShownOfReason]}…";
    }
}
