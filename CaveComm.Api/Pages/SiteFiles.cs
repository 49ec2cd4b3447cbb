using System.Security.Cryptography;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.Net.Http.Headers;

namespace CaveComm.Api.Pages;

/// <summary>The style sheet and the icon: part of the assembly, so that the product is one folder of binaries wherever it is started.</summary>
public static class SiteFiles
{
    private static readonly Asset Style = Load("site.css", "text/css; charset=utf-8");
    private static readonly Asset Icon = Load("icon.svg", "image/svg+xml");

    /// <summary>The address changes with the content, so a browser may keep it for ever.</summary>
    public static string StyleUrl => Style.Url;

    public static string IconUrl => Icon.Url;

    internal static void Map(IEndpointRouteBuilder routes)
    {
        foreach (var asset in new[] { Style, Icon })
        {
            routes.MapGet($"/assets/{asset.Name}", (HttpContext http) => Send(asset, http)).ExcludeFromDescription();
        }

        routes.MapGet("/favicon.ico", (HttpContext http) => Send(Icon, http)).ExcludeFromDescription();
    }

    private static FileContentHttpResult Send(Asset asset, HttpContext http)
    {
        http.Response.Headers.CacheControl = http.Request.Query.ContainsKey("v") ? "public, max-age=31536000, immutable" : "public, max-age=300";
        return TypedResults.Bytes(asset.Content, asset.MediaType, entityTag: asset.Tag);
    }

    private static Asset Load(string name, string mediaType)
    {
        using var resource = typeof(SiteFiles).Assembly.GetManifestResourceStream($"assets/{name}")
            ?? throw new InvalidOperationException($"The assembly was built without its asset {name}.");
        var content = new byte[resource.Length];
        resource.ReadExactly(content);
        var hash = Convert.ToHexStringLower(SHA256.HashData(content))[..16];
        return new Asset(name, $"/assets/{name}?v={hash}", mediaType, content, new EntityTagHeaderValue($"\"{hash}\""));
    }

    private sealed record Asset(string Name, string Url, string MediaType, byte[] Content, EntityTagHeaderValue Tag);
}
