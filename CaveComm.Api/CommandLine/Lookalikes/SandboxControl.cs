using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text;

namespace CaveComm.Api.CommandLine.Lookalikes;

/// <summary>A small door of the sandbox's process, where a product beside it asks for the webhooks.</summary>
internal static class SandboxControl
{
    public static async Task<(WebApplication Door, SandboxControlAddress Address)> Open(RunningSandbox sandbox, CancellationToken cancel)
    {
        var address = new SandboxControlAddress(
            new Uri($"http://127.0.0.1:{Ports.Claim(0)}/product"), RandomNumberGenerator.GetHexString(32, lowercase: true));
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().UseUrls(address.Url.GetLeftPart(UriPartial.Authority));
        var door = builder.Build();
        door.Run(async http =>
        {
            var key = Encoding.UTF8.GetBytes(http.Request.Headers.Authorization.ToString());
            if (!CryptographicOperations.FixedTimeEquals(key, Encoding.UTF8.GetBytes($"Bearer {address.Key}")))
            {
                http.Response.StatusCode = StatusCodes.Status401Unauthorized;
                return;
            }

            using var body = new StreamReader(http.Request.Body);
            if (!Uri.TryCreate(await body.ReadToEndAsync(http.RequestAborted), UriKind.Absolute, out var product))
            {
                http.Response.StatusCode = StatusCodes.Status400BadRequest;
                return;
            }

            await sandbox.SetProductUrl(product);
            http.Response.StatusCode = StatusCodes.Status204NoContent;
        });
        await door.StartAsync(cancel);
        return (door, address);
    }

    public static async Task SetProductUrl(SandboxControlAddress address, Uri product, CancellationToken cancel)
    {
        using var client = new HttpClient { Timeout = TimeSpan.FromSeconds(5) };
        using var request = new HttpRequestMessage(HttpMethod.Put, address.Url) { Content = new StringContent(product.ToString()) };
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", address.Key);
        using var answer = await client.SendAsync(request, cancel);
        answer.EnsureSuccessStatusCode();
    }
}
