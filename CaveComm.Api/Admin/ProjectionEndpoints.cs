using CaveComm.Api.Http;
using CaveComm.Api.Http.Idempotency;
using CaveComm.Api.Identity;
using CaveComm.Domain;
using CaveComm.Domain.Identity;
using Microsoft.AspNetCore.Http.HttpResults;

namespace CaveComm.Api.Admin;

/// <param name="Reason">Why, for the log; may be left out.</param>
public sealed record ProjectionBody(string? Reason) : IChecked
{
    public void Check(Faults faults) => faults.LimitText("reason", Reason, 2_000);
}

/// <param name="Key">Only this parked key; all of them when left out.</param>
/// <param name="Reason">Why, for the log; may be left out.</param>
public sealed record RetryBody(string? Key, string? Reason) : IChecked
{
    public void Check(Faults faults)
    {
        faults.LimitText("key", Key, 1_000);
        faults.LimitText("reason", Reason, 2_000);
    }
}

/// <summary>What an administrator sees of the views and does to them.</summary>
internal static class ProjectionEndpoints
{
    public const string Path = "/admin/projections";

    public static void Map(IEndpointRouteBuilder routes)
    {
        routes.MapGet("/admin", () => new SeeOther(Path)).RequireRole(Role.Admin).WithName("Admin").ExcludeFromDescription();
        var projections = routes.MapGroup(Path).RequireRole(Role.Admin);
        projections.MapGet("", List).WithName("ListProjections").Produces<Page<ProjectionSummary>>();
        projections.MapGet("/{name}", Show).WithName("ShowProjection").Answers<ProjectionDetail>();
        projections.MapGet("/{name}/rebuild", ShowRebuild).WithName("ShowRebuild").Answers<RebuildProgress>();
        projections.MapPost("/{name}/rebuild", Rebuild).WithName("RebuildProjection").KeepsItsAnswerAfterSteps().TakesBody<ProjectionBody>()
            .Produces<ProjectionDetail>(StatusCodes.Status202Accepted).ProducesProblem(StatusCodes.Status404NotFound).ProducesProblem(StatusCodes.Status409Conflict);
        projections.MapPost("/{name}/pause", (HttpContext http, string name, ProjectionDesk desk, CancellationToken cancel) =>
            Act(http, name, desk, desk.Pause, cancel)).WithName("PauseProjection").KeepsItsAnswerAfterSteps().TakesBody<ProjectionBody>().Answers<ProjectionDetail>();
        projections.MapPost("/{name}/resume", (HttpContext http, string name, ProjectionDesk desk, CancellationToken cancel) =>
            Act(http, name, desk, desk.Resume, cancel)).WithName("ResumeProjection").KeepsItsAnswerAfterSteps().TakesBody<ProjectionBody>().Answers<ProjectionDetail>();
        projections.MapPost("/{name}/retry", Retry).WithName("RetryProjection").KeepsItsAnswerAfterSteps().TakesBody<RetryBody>().Answers<RetryOutcome>();
    }

    public static string AddressOf(string name) => $"{Path}/{Uri.EscapeDataString(name)}";

    private static RouteHandlerBuilder Answers<T>(this RouteHandlerBuilder builder) => builder.Produces<T>().ProducesProblem(StatusCodes.Status404NotFound);

    private static async Task<IResult> List(HttpContext http, ProjectionDesk desk, CancellationToken cancel) => http.Negotiate(
        new Page<ProjectionSummary>(await desk.List(cancel), null), it => new RazorComponentResult<ProjectionsPage>(new { Model = it.Items }));

    private static Task<IResult> Show(HttpContext http, string name, ProjectionDesk desk, CancellationToken cancel) => Guarded(async () =>
        http.Negotiate(await desk.Show(name, cancel), it => new RazorComponentResult<ProjectionPage>(new { Model = it })));

    private static Task<IResult> ShowRebuild(HttpContext http, string name, ProjectionDesk desk, CancellationToken cancel) => Guarded(async () =>
        (await desk.Show(name, cancel)).Rebuild is { } rebuild
            ? http.Negotiate(rebuild, _ => new SeeOther(AddressOf(name)))
            : Problems.Of("not-found", $"{name} has not been rebuilt yet."));

    private static Task<IResult> Rebuild(HttpContext http, string name, ProjectionDesk desk, CancellationToken cancel) =>
        Read<ProjectionBody>(http, body => Guarded(async () =>
        {
            await desk.RequestRebuild(name, Asking(http, body.Reason), cancel);
            return http.Done(AddressOf(name), TypedResults.Accepted(AddressOf(name), await desk.Show(name, cancel)));
        }), cancel);

    private static Task<IResult> Retry(HttpContext http, string name, ProjectionDesk desk, CancellationToken cancel) =>
        Read<RetryBody>(http, body => Guarded(async () =>
        {
            var outcome = await desk.Retry(name, Given(body.Key), Asking(http, body.Reason), cancel);
            return http.Done(AddressOf(name), TypedResults.Json(outcome, Json.Options));
        }), cancel);

    private static Task<IResult> Act(
        HttpContext http, string name, ProjectionDesk desk, Func<string, Asker, CancellationToken, Task<bool>> act, CancellationToken cancel) =>
        Read<ProjectionBody>(http, body => Guarded(async () =>
        {
            await act(name, Asking(http, body.Reason), cancel);
            return http.Done(AddressOf(name), TypedResults.Json(await desk.Show(name, cancel), Json.Options));
        }), cancel);

    private static async Task<IResult> Read<TBody>(HttpContext http, Func<TBody, Task<IResult>> then, CancellationToken cancel)
        where TBody : class =>
        (await http.ReadBody<TBody>(cancel)).IsValid(out var body, out var problem) ? await then(body) : problem;

    private static async Task<IResult> Guarded(Func<Task<IResult>> act)
    {
        try
        {
            return await act();
        }
        catch (UnknownProjectionException unknown)
        {
            return Problems.Of("no-such-projection", unknown.Message);
        }
        catch (RebuildRunningException running)
        {
            var problem = Problems.Of("rebuild-running", running.Message);
            problem.ProblemDetails.Extensions["progress"] = running.Progress;
            return problem;
        }
        catch (NotSupportedException impossible)
        {
            return Problems.Of("conflict", impossible.Message);
        }
    }

    private static Asker Asking(HttpContext http, string? reason) => new(http.Caller()?.AccountId, Given(reason));

    private static string? Given(string? text) => string.IsNullOrWhiteSpace(text) ? null : text.Trim();
}
