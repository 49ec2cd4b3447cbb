using System.Text.Json;
using System.Text.Json.Nodes;
using CaveComm.Sandbox.Http;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;

namespace CaveComm.Sandbox.Faults;

/// <summary>
/// What <c>/_control</c> of every look-alike knows beside its own switches: <c>errorBeforeEvery</c> (each n-th call is answered 500 before anything is
/// done; the look-alikes' own <c>errorEvery</c> does the work first) and <c>reset</c> (all as it was).
/// </summary>
/// <remarks>It stands before the look-alike, takes its own members out of the body and leaves it the rest. Not remembered across restarts.</remarks>
/// <param name="api">Calls under this path count.</param>
/// <param name="calm">The look-alike's own switches, all off.</param>
internal sealed class FaultSwitch(PathString api, JsonObject calm)
{
    private const string Path = "/_control";
    private const string Before = "errorBeforeEvery";
    private const string Reset = "reset";

    private int every;
    private int calls;

    public static void Use(WebApplication app, PathString api, JsonObject calm)
    {
        var faults = new FaultSwitch(api, calm);
        app.Use(faults.Pass);
    }

    private async Task Pass(HttpContext http, RequestDelegate next)
    {
        if (http.Request.Path == Path && HttpMethods.IsPost(http.Request.Method))
        {
            await Control(http, next);
        }
        else if (http.Request.Path.StartsWithSegments(api) && Volatile.Read(ref every) is > 0 and var n && Interlocked.Increment(ref calls) % n == 0)
        {
            await http.Response.Json(
                new JsonObject { ["error"] = new JsonObject { ["type"] = "api_error", ["message"] = "Failed before anything was done, as the sandbox was asked to." } },
                StatusCodes.Status500InternalServerError);
        }
        else
        {
            await next(http);
        }
    }

    private async Task Control(HttpContext http, RequestDelegate next)
    {
        using var given = new MemoryStream();
        await http.Request.Body.CopyToAsync(given, http.RequestAborted);
        var body = given.ToArray();
        if (http.Request.HasJsonContentType() && Read(body) is { } asked)
        {
            if (!Apply(asked))
            {
                await http.Response.Json(
                    new JsonObject { ["error"] = $"{Before} is a whole number, 0 or more; {Reset} is true or false." }, StatusCodes.Status400BadRequest);
                return;
            }

            body = JsonSerializer.SerializeToUtf8Bytes(asked);
        }

        using var rest = new MemoryStream(body);
        http.Request.Body = rest;
        http.Request.ContentLength = body.Length;
        await next(http);
    }

    private bool Apply(JsonObject asked)
    {
        var resets = asked[Reset] as JsonValue;
        var before = asked[Before] as JsonValue;
        var (all, number) = (false, 0);
        if ((asked.ContainsKey(Reset) && resets?.TryGetValue(out all) != true) || (asked.ContainsKey(Before) && (before?.TryGetValue(out number) != true || number < 0)))
        {
            return false;
        }

        asked.Remove(Reset);
        asked.Remove(Before);
        if (all)
        {
            foreach (var (name, off) in calm.Where(it => !asked.ContainsKey(it.Key)).ToList())
            {
                asked[name] = off?.DeepClone();
            }
        }

        if (all || before is not null)
        {
            Interlocked.Exchange(ref calls, 0);
            Volatile.Write(ref every, number);
        }

        return true;
    }

    private static JsonObject? Read(byte[] body)
    {
        try
        {
            return body.Length == 0 ? null : JsonNode.Parse(body) as JsonObject;
        }
        catch (JsonException)
        {
            return null; // The look-alike says what is wrong with it.
        }
    }
}
