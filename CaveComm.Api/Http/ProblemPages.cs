using CaveComm.Api.Pages;
using Microsoft.AspNetCore.Http.HttpResults;

namespace CaveComm.Api.Http;

/// <summary>The address in a problem's <c>type</c> leads to what it means.</summary>
internal static class ProblemPages
{
    public static void Map(IEndpointRouteBuilder routes)
    {
        routes.MapGet("/problems", (HttpContext http) => http.Negotiate(
            new Page<ProblemType>(ProblemTypes.All, null), page: it => new RazorComponentResult<ProblemTypesPage>(new { Types = it.Items })))
            .WithName("ListProblems").WithSummary("Every kind of problem that an answer can name.");
        routes.MapGet("/problems/{code}", (string code, HttpContext http) => ProblemTypes.Find(code) is { } type
            ? http.Negotiate(type, page: it => new RazorComponentResult<ProblemTypesPage>(new { Types = (IReadOnlyList<ProblemType>)[it] }))
            : Problems.Missing())
            .WithName("ShowProblem").WithSummary("What a kind of problem means and what to do about it.");
    }
}
