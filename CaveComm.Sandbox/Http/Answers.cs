using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;

namespace CaveComm.Sandbox.Http;

/// <summary>Reading and writing without the framework's binding: a look-alike answers in another's words, faults included.</summary>
internal static class Answers
{
    public static async Task Json(this HttpResponse response, JsonNode? node, int status = StatusCodes.Status200OK)
    {
        response.StatusCode = status;
        response.ContentType = "application/json; charset=utf-8";
        await response.WriteAsync(node?.ToJsonString() ?? "null", response.HttpContext.RequestAborted);
    }

    public static async Task Html(this HttpResponse response, string page, int status = StatusCodes.Status200OK)
    {
        response.StatusCode = status;
        response.ContentType = "text/html; charset=utf-8";
        response.Headers.ContentSecurityPolicy =
            "default-src 'none'; style-src 'unsafe-inline'; img-src data: https: http:; frame-src 'self'; form-action *; base-uri 'none'";
        response.Headers.CacheControl = "no-store";
        response.Headers.XContentTypeOptions = "nosniff";
        await response.WriteAsync(page, response.HttpContext.RequestAborted);
    }

    /// <returns>The body as a JSON object; empty for an empty body; null when it is something else.</returns>
    public static async Task<JsonObject?> JsonBody(this HttpRequest request)
    {
        using var reader = new StreamReader(request.Body, Encoding.UTF8);
        var text = await reader.ReadToEndAsync(request.HttpContext.RequestAborted);
        if (string.IsNullOrWhiteSpace(text))
        {
            return [];
        }

        try
        {
            return JsonNode.Parse(text) as JsonObject;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    /// <summary>Whether the caller asks for JSON by name; a browser doesn't.</summary>
    public static bool AsksForJson(this HttpRequest request) =>
        request.Headers.Accept.ToString().Contains("application/json", StringComparison.OrdinalIgnoreCase);
}
