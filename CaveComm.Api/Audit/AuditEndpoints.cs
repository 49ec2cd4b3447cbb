using CaveComm.Api.Http;
using CaveComm.Api.Identity;
using CaveComm.Domain;
using CaveComm.Domain.Identity;
using Microsoft.AspNetCore.Http.HttpResults;

namespace CaveComm.Api.Audit;

/// <summary>The log for auditors and administrators: read-only, whatever its events are.</summary>
internal static class AuditEndpoints
{
    public const string Path = "/audit";
    private const int Newest = 50;

    public static void Map(IEndpointRouteBuilder routes)
    {
        var audit = routes.MapGroup(Path).RequireRole(Role.Auditor, Role.Admin);
        audit.MapGet("", Start).WithName("Audit").Produces<Page<AuditedEvent>>();
        audit.MapGet("/events", Events).WithName("ReadEvents").Produces(StatusCodes.Status200OK, contentType: EventLines.MediaType).ProducesProblem(StatusCodes.Status422UnprocessableEntity).ProducesProblem(StatusCodes.Status429TooManyRequests);
        audit.MapGet("/streams/{**key}", Stream).WithName("AuditStream").Produces<AuditedStream>().ProducesProblem(StatusCodes.Status404NotFound);
    }

    /// <summary>Where a stream's story stands. Keys hold colons and slashes, which stay as they are.</summary>
    public static string AddressOf(string key) =>
        $"{Path}/streams/{string.Join('/', key.Split('/').Select(Uri.EscapeDataString)).Replace("%3A", ":", StringComparison.Ordinal)}";

    private static async Task<IResult> Start(HttpContext http, AuditReading audit, CancellationToken cancel)
    {
        var faults = new Faults();
        if (AuditQuery.Text(http, "stream", faults) is { } key && faults.IsEmpty)
        {
            return new SeeOther(AddressOf(key.Trim()));
        }

        return faults.IsEmpty
            ? http.Negotiate(new Page<AuditedEvent>(await audit.Newest(Newest, cancel), null), it => new RazorComponentResult<AuditPage>(new { Model = it.Items }))
            : faults.ToProblem();
    }

    private static async Task<IResult> Stream(HttpContext http, string? key, AuditReading audit, CancellationToken cancel)
    {
        var faults = new Faults();
        var version = AuditQuery.Whole(http, "version", 1, faults);
        var at = AuditQuery.Instant(http, "at", faults);
        if (!faults.IsEmpty)
        {
            return faults.ToProblem();
        }

        // The server leaves an escaped slash as it is, since it cannot know that ours are none of the address's own.
        var wanted = (key ?? "").Replace("%2F", "/", StringComparison.OrdinalIgnoreCase);
        if (!Faults.IsPlainText(wanted) || await audit.VersionOf(wanted, cancel) is not { } last)
        {
            return Problems.Of("no-such-stream", Faults.IsPlainText(wanted) ? await audit.NoSuchStream(wanted, cancel) : "There is no such stream.");
        }

        return http.Negotiate(
            await audit.Stream(wanted, version, at, cancel),
            it => new RazorComponentResult<StreamPage>(new { Model = new StreamPageModel(it, last, at) }));
    }

    private static async Task<IResult> Events(HttpContext http, AuditReading audit, CancellationToken cancel)
    {
        var faults = new Faults();
        var filter = AuditQuery.ReadFilter(http, faults);
        if (!faults.IsEmpty)
        {
            return faults.ToProblem();
        }

        if (filter.Stream is { } key && await audit.VersionOf(key, cancel) is null)
        {
            return Problems.Of("no-such-stream", await audit.NoSuchStream(key, cancel));
        }

        return new EventStreamResult(audit, filter);
    }
}
