using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using CaveComm.Api.Http;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Shouldly;

namespace CaveComm.Tests.Http;

/// <summary>A small site of the tests' own on a free port, with the product's HTTP rules and whatever endpoints a test maps.</summary>
internal sealed class TestSite : IAsyncDisposable
{
    private readonly DirectoryInfo _data;

    private TestSite(WebApplication app, DirectoryInfo data)
    {
        (App, _data) = (app, data);
        Address = new Uri(app.Urls.First());
        Client = NewClient();
    }

    public WebApplication App { get; }

    public Uri Address { get; }

    /// <summary>Follows no redirects and keeps no cookies.</summary>
    public HttpClient Client { get; }

    public string DataPath => _data.FullName;

    public static async Task<TestSite> Start(
        Action<WebApplication> map, Action<IServiceCollection>? add = null, Dictionary<string, string?>? settings = null)
    {
        var data = Directory.CreateTempSubdirectory("cavecomm-site-");
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseKestrelCore().UseUrls("http://127.0.0.1:0");
        builder.Configuration.AddInMemoryCollection([KeyValuePair.Create("CaveComm:DataPath", (string?)data.FullName), .. settings ?? []]);
        builder.Services.AddCaveCommHttp();
        add?.Invoke(builder.Services);
        var app = builder.Build();
        app.UseCaveCommHttp();
        map(app);
        await app.StartAsync();
        return new TestSite(app, data);
    }

    public HttpClient NewClient(CookieContainer? cookies = null) => new(new SocketsHttpHandler
    {
        AllowAutoRedirect = false,
        UseCookies = cookies is not null,
        CookieContainer = cookies ?? new CookieContainer(),
    })
    {
        BaseAddress = Address,
    };

    public Task<HttpResponseMessage> Send(HttpMethod method, string path, HttpContent? content = null, string? accept = null, params (string Name, string Value)[] headers)
    {
        var request = new HttpRequestMessage(method, path) { Content = content };
        if (accept is not null)
        {
            request.Headers.TryAddWithoutValidation("Accept", accept);
        }

        foreach (var (name, value) in headers)
        {
            request.Headers.TryAddWithoutValidation(name, value);
        }

        return Client.SendAsync(request);
    }

    /// <summary>Sends bytes as they are and returns all that comes back, for what no client would send.</summary>
    public async Task<string> SendRaw(string request)
    {
        using var socket = new TcpClient();
        await socket.ConnectAsync(Address.Host, Address.Port);
        await using var stream = socket.GetStream();
        await stream.WriteAsync(Encoding.Latin1.GetBytes(request));
        using var reader = new StreamReader(stream, Encoding.Latin1);
        return await reader.ReadToEndAsync();
    }

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        await App.DisposeAsync();
        _data.Delete(recursive: true);
    }

    public static StringContent JsonBody(string json) => new(json, Encoding.UTF8, "application/json");

    public static FormUrlEncodedContent FormBody(params (string Name, string Value)[] fields) => new(fields.Select(it => KeyValuePair.Create(it.Name, it.Value)));
}

internal static class ResponseReading
{
    public static Task<string> Text(this HttpResponseMessage response) => response.Content.ReadAsStringAsync();

    public static Task<byte[]> Bytes(this HttpResponseMessage response) => response.Content.ReadAsByteArrayAsync();

    public static async Task<JsonElement> Json(this HttpResponseMessage response) =>
        JsonDocument.Parse(await response.Content.ReadAsStringAsync()).RootElement.Clone();

    /// <summary>The problem document, after a look at what all of them must have.</summary>
    public static async Task<JsonElement> Problem(this HttpResponseMessage response, int status, string code)
    {
        var text = await response.Content.ReadAsStringAsync();
        response.Content.Headers.ContentType.ShouldNotBeNull($"{(int)response.StatusCode} {text}");
        response.Content.Headers.ContentType.MediaType.ShouldBe("application/problem+json", text);
        ((int)response.StatusCode).ShouldBe(status, text);
        var problem = JsonDocument.Parse(text).RootElement.Clone();
        problem.GetProperty("type").GetString().ShouldBe($"/problems/{code}", text);
        problem.GetProperty("status").GetInt32().ShouldBe(status);
        problem.GetProperty("title").GetString().ShouldNotBeNullOrWhiteSpace();
        problem.GetProperty("detail").GetString().ShouldNotBeNullOrWhiteSpace();
        problem.GetProperty("traceId").GetString().ShouldNotBeNullOrWhiteSpace();
        return problem;
    }

    public static string[] Errors(this JsonElement problem, string field) =>
        [.. problem.GetProperty("errors").GetProperty(field).EnumerateArray().Select(it => it.GetString()!)];

    public static MediaTypeHeaderValue? MediaType(this HttpResponseMessage response) => response.Content.Headers.ContentType;
}
