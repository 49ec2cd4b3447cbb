using System.Diagnostics;
using CaveComm.Api.Pages;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;

namespace CaveComm.Api.Http;

/// <summary>Writes every problem document: as a page for a browser, as <c>application/problem+json</c> for everybody else, whatever they accept.</summary>
internal sealed class ProblemWriter : IProblemDetailsWriter
{
    public bool CanWrite(ProblemDetailsContext context) => true;

    public async ValueTask WriteAsync(ProblemDetailsContext context)
    {
        var http = context.HttpContext;
        var problem = Complete(http, context.ProblemDetails);
        http.Response.StatusCode = problem.Status!.Value;
        if (http.WantsHtml())
        {
            var page = new RazorComponentResult<ProblemPage>(new { Details = problem }) { StatusCode = problem.Status };
            await page.ExecuteAsync(http);
            return;
        }

        await http.Response.WriteAsJsonAsync(problem, Json.Options, "application/problem+json", http.RequestAborted);
    }

    /// <summary>Fills in what a bare status code lacks, and the trace id by which the operator finds the logs.</summary>
    private static ProblemDetails Complete(HttpContext http, ProblemDetails problem)
    {
        problem.Status ??= http.Response.StatusCode;
        var type = ProblemTypes.ForStatus(problem.Status.Value);
        if (problem.Type is null || !problem.Type.StartsWith("/problems/", StringComparison.Ordinal))
        {
            problem.Type = $"/problems/{type.Code}";
            problem.Title = type.Title;
        }

        problem.Title ??= type.Title;
        problem.Detail ??= type.Advice;
        problem.Extensions["traceId"] = Activity.Current?.TraceId.ToString() ?? http.TraceIdentifier;
        return problem;
    }
}
