using System.Net.Sockets;
using CaveComm.Domain.Payments;
using Microsoft.AspNetCore.Diagnostics;
using Microsoft.AspNetCore.Http.HttpResults;
using Npgsql;

namespace CaveComm.Api.Http;

/// <summary>What escaped an endpoint becomes a problem document. Only a bug is a 500, and it shows nothing but a trace id.</summary>
internal sealed class ExceptionProblems(ILogger<ExceptionProblems> log) : IExceptionHandler
{
    public async ValueTask<bool> TryHandleAsync(HttpContext httpContext, Exception exception, CancellationToken cancellationToken)
    {
        if (exception is OperationCanceledException && httpContext.RequestAborted.IsCancellationRequested)
        {
            // Nobody is listening any more; the status is for the access log alone.
            httpContext.Response.StatusCode = StatusCodes.Status499ClientClosedRequest;
            return true;
        }

        await ToProblem(httpContext, exception).ExecuteAsync(httpContext);
        return true;
    }

    private ProblemHttpResult ToProblem(HttpContext http, Exception exception)
    {
        switch (exception)
        {
            case BadHttpRequestException bad:
                var type = ProblemTypes.ForStatus(bad.StatusCode);
                return Problems.Make(type.Code, type.Title, bad.StatusCode, bad.Message);
            case System.Text.Json.JsonException json:
                return Problems.Malformed(Bodies.Explain(json));
            case ConcurrencyException:
                return Problems.LostRace();
            case ExistingStreamIdCollisionException:
                return Problems.Of("exists-already", "Something of this name exists already.");
            case GatewayUnavailableException gateway:
                log.LogWarning(exception, "{Provider} did not answer while {Path} was served", gateway.Provider, http.Request.Path);
                return Problems.Unavailable(http, $"{gateway.Provider} does not answer at the moment. Nothing is lost; try again shortly.", gateway.RetryAfter);
            case NpgsqlException database when IsDown(database):
                log.LogError(exception, "The database did not answer while {Path} was served", http.Request.Path);
                return Problems.Unavailable(http, "The database does not answer at the moment. Try again shortly.");
            default:
                log.LogError(exception, "{Method} {Path} failed", http.Request.Method, http.Request.Path);
                return Problems.Of("internal", "Something broke on our side. The operator finds the story under the trace id.");
        }
    }

    /// <summary>Whether the server could not be reached or is going away, as opposed to a statement of ours that it refused.</summary>
    private static bool IsDown(NpgsqlException error) => error is PostgresException refused
        ? refused.SqlState.StartsWith("08", StringComparison.Ordinal) || refused.SqlState is
            PostgresErrorCodes.AdminShutdown or PostgresErrorCodes.CrashShutdown or PostgresErrorCodes.CannotConnectNow
            or PostgresErrorCodes.TooManyConnections or PostgresErrorCodes.ReadOnlySqlTransaction
        : error.IsTransient || error.InnerException is SocketException or IOException or TimeoutException;
}
