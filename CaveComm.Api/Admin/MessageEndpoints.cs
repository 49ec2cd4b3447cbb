using CaveComm.Api.Audit;
using CaveComm.Api.Http;
using CaveComm.Api.Http.Idempotency;
using CaveComm.Api.Identity;
using CaveComm.Domain;
using CaveComm.Domain.Identity;
using Microsoft.AspNetCore.Http.HttpResults;

namespace CaveComm.Api.Admin;

/// <summary>What an administrator sees of messages, and does with the dead ones.</summary>
internal static class MessageEndpoints
{
    public const string Path = "/admin/messages";
    public const string Letters = "/admin/dead-letters";
    private const int ShownAlarms = 50;

    public static void Map(IEndpointRouteBuilder routes)
    {
        var messages = routes.MapGroup(Path).RequireRole(Role.Admin);
        messages.MapGet("", (HttpContext http, MessageDesk desk, CancellationToken cancel) => List(http, desk, deadOnly: false, cancel)).WithName("ListMessages").Lists();
        messages.MapGet("/{id:guid}", (HttpContext http, Guid id, MessageDesk desk, CancellationToken cancel) => Show(http, id, desk, deadOnly: false, cancel)).WithName("ShowMessage").Answers<MessageDetail>();
        var letters = routes.MapGroup(Letters).RequireRole(Role.Admin);
        letters.MapGet("", (HttpContext http, MessageDesk desk, CancellationToken cancel) => List(http, desk, deadOnly: true, cancel)).WithName("ListDeadLetters").Lists();
        letters.MapGet("/{id:guid}", (HttpContext http, Guid id, MessageDesk desk, CancellationToken cancel) => Show(http, id, desk, deadOnly: true, cancel)).WithName("ShowDeadLetter").Answers<MessageDetail>();
        letters.MapPost("/{id:guid}/replay", Replay).WithName("ReplayDeadLetter").KeepsItsAnswerAfterSteps().TakesBody<ReplayLetterBody>().Answers<MessageDetail>().ProducesProblem(StatusCodes.Status409Conflict);
        letters.MapPost("/{id:guid}/discard", Discard).WithName("DiscardDeadLetter").KeepsItsAnswerAfterSteps().TakesBody<DiscardBody>().Answers<MessageDetail>()
            .ProducesProblem(StatusCodes.Status409Conflict).ProducesProblem(StatusCodes.Status422UnprocessableEntity);
        letters.MapPost("/replay", ReplayAll).WithName("ReplayDeadLetters").KeepsItsAnswerAfterSteps().TakesBody<ReplayBody>().Produces<ReplayProgress>(StatusCodes.Status202Accepted)
            .ProducesProblem(StatusCodes.Status404NotFound).ProducesProblem(StatusCodes.Status409Conflict).ProducesProblem(StatusCodes.Status422UnprocessableEntity);
        letters.MapGet("/replays", ListReplays).WithName("ListReplays").Produces<Page<ReplayProgress>>();
        letters.MapGet("/replays/{id:guid}", ShowReplay).WithName("ShowReplay").Answers<ReplayProgress>();
    }

    public static string AddressOf(Guid id) => $"{Path}/{id:D}";

    public static string AddressOfReplay(Guid id) => $"{Letters}/replays/{id:D}";

    private static void Lists(this RouteHandlerBuilder builder) => builder.Produces<MessageList>().ProducesProblem(StatusCodes.Status422UnprocessableEntity);

    private static RouteHandlerBuilder Answers<T>(this RouteHandlerBuilder builder) => builder.Produces<T>().ProducesProblem(StatusCodes.Status404NotFound);

    private static async Task<IResult> List(HttpContext http, MessageDesk desk, bool deadOnly, CancellationToken cancel)
    {
        var faults = new Faults();
        var page = http.ReadPage(faults, MessageCursors.PartCount);
        var filter = new MessageFilter(
            ReadState(http, deadOnly, faults), AuditQuery.Text(http, "type", faults), AuditQuery.Text(http, "queue", faults), AuditQuery.Text(http, "group", faults));
        var after = ReadCursor(page.After, faults);
        if (!faults.IsEmpty)
        {
            return faults.ToProblem();
        }

        var found = page.Cut(await desk.List(filter, page.Rows, after, cancel), it => MessageCursors.Parts(it.Cursor));
        var figures = await desk.Measure(cancel);
        var model = new MessageList([.. found.Items.Select(MessageDetail.Of)], found.Next, MessageTotals.Of(figures));
        if (!http.WantsHtml())
        {
            return TypedResults.Json(model, Json.Options);
        }

        var isStart = after is null && filter is { MessageType: null, Queue: null, GroupId: null, State: null or MessageState.Dead };
        var alarms = isStart ? await desk.List(new MessageFilter(MessageState.Dead, MessageWords.Alarm), ShownAlarms, null, cancel) : [];
        return new RazorComponentResult<MessagesPage>(new
        {
            Model = new MessagesPageModel(
                [.. alarms.Select(MessageDetail.Of)], isStart ? [.. model.Items.Where(it => it is not { State: MessageState.Dead, Type: MessageWords.Alarm })] : model.Items,
                model.Next, model.Counts, filter, figures.DeadByType, (await desk.ListReplays(1, cancel)).Select(ReplayProgress.Of).FirstOrDefault()),
        });
    }

    private static async Task<IResult> Show(HttpContext http, Guid id, MessageDesk desk, bool deadOnly, CancellationToken cancel) =>
        await desk.Find(id, cancel) is { } found && (!deadOnly || found.DiedAt is not null)
            ? http.Negotiate(MessageDetail.Of(found), it => new RazorComponentResult<MessagePage>(new { Model = it }))
            : MessageDesk.Unknown(id).ToProblem();

    private static async Task<IResult> Replay(HttpContext http, Guid id, MessageDesk desk, CancellationToken cancel)
    {
        var reading = await http.ReadBody<ReplayLetterBody>(cancel);
        return reading.IsValid(out var body, out var problem) ? await Done(http, id, await desk.Replay(id, Asking(http, body.Reason), cancel), desk, cancel) : problem;
    }

    private static async Task<IResult> Discard(HttpContext http, Guid id, MessageDesk desk, CancellationToken cancel)
    {
        var reading = await http.ReadBody<DiscardBody>(cancel);
        return reading.IsValid(out var body, out var problem)
            ? await Done(http, id, await desk.Discard(id, body.Reason!.Trim(), Asking(http, body.Reason), cancel), desk, cancel)
            : problem;
    }

    private static async Task<IResult> ReplayAll(HttpContext http, MessageDesk desk, CancellationToken cancel)
    {
        var reading = await http.ReadBody<ReplayBody>(cancel);
        if (!reading.IsValid(out var body, out var problem))
        {
            return problem;
        }

        try
        {
            var filter = new ReplayFilter(Given(body.Type), Given(body.Queue), Given(body.Since) is { } since ? AuditQuery.ParseInstant(since) : null, Given(body.Error));
            var (run, refusal) = await desk.ReplayAll(filter, body.PerSecond ?? MessageDesk.UsualPerSecond, Asking(http, body.Reason), cancel);
            return refusal is not null ? refusal.ToProblem() : http.Done(AddressOfReplay(run!.Id), TypedResults.Accepted(AddressOfReplay(run.Id), ReplayProgress.Of(run)));
        }
        catch (ReplayRunningException running)
        {
            var conflict = Problems.Of("replay-running", running.Message);
            conflict.ProblemDetails.Extensions["progress"] = ReplayProgress.Of(running.Run);
            return conflict;
        }
        catch (NotSupportedException impossible)
        {
            return Problems.Of("conflict", impossible.Message);
        }
    }

    private static async Task<IResult> ListReplays(HttpContext http, MessageDesk desk, CancellationToken cancel) => http.Negotiate(
        new Page<ReplayProgress>([.. (await desk.ListReplays(Paging.MostItems, cancel)).Select(ReplayProgress.Of)], null), _ => new SeeOther(Path));

    private static async Task<IResult> ShowReplay(HttpContext http, Guid id, MessageDesk desk, CancellationToken cancel) =>
        await desk.FindReplay(id, cancel) is { } run
            ? http.Negotiate(ReplayProgress.Of(run), it => new RazorComponentResult<ReplayPage>(new { Model = it }))
            : Problems.Of("no-such-replay", $"There is no replay {id:D}.");

    // A letter that was sent again may be handled by the time it is looked for.
    private static async Task<IResult> Done(HttpContext http, Guid id, Refusal? refusal, MessageDesk desk, CancellationToken cancel) =>
        refusal is not null ? refusal.ToProblem()
        : await desk.Find(id, cancel) is { } found ? http.Done(AddressOf(id), TypedResults.Json(MessageDetail.Of(found), Json.Options))
        : http.Done(Path, TypedResults.Json(new { id, state = "handled" }, Json.Options));

    private static MessageState? ReadState(HttpContext http, bool deadOnly, Faults faults)
    {
        if (AuditQuery.Text(http, "state", faults) is not { } text)
        {
            return deadOnly ? MessageState.Dead : null;
        }

        MessageState[] known = deadOnly ? [MessageState.Dead, MessageState.Discarded] : Enum.GetValues<MessageState>();
        var named = known.Where(it => MessageWords.Of(it) == text).ToList();
        faults.Require(named is [_], "state", $"must be one of {string.Join(", ", known.Select(MessageWords.Of))}.");
        return named is [var state] ? state : null;
    }

    private static MessageCursor? ReadCursor(IReadOnlyList<string> parts, Faults faults)
    {
        var cursor = MessageCursors.Read(parts);
        faults.Require(parts is [] || cursor is not null, "after", "must be the next of an earlier page.");
        return cursor;
    }

    private static Asker Asking(HttpContext http, string? reason) => new(http.Caller()?.AccountId, Given(reason));

    private static string? Given(string? text) => string.IsNullOrWhiteSpace(text) ? null : text.Trim();
}
