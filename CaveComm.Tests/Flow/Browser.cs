using System.Net;
using System.Net.Http.Headers;
using System.Text.RegularExpressions;
using Shouldly;

namespace CaveComm.Tests.Flow;

/// <summary>What a person has: cookies, pages, and the forms on them. A form is sent with the hidden fields that stand in it.</summary>
public sealed partial class Browser : IDisposable
{
    private readonly HttpClient client;

    public Browser(Uri site)
    {
        client = new HttpClient(new SocketsHttpHandler { CookieContainer = new CookieContainer() }) { BaseAddress = site };
        client.DefaultRequestHeaders.Accept.Add(new MediaTypeWithQualityHeaderValue("text/html"));
    }

    /// <summary>The page that is open.</summary>
    public string Html { get; private set; } = "";

    public string Path { get; private set; } = "";

    public HttpStatusCode Status { get; private set; }

    public void Dispose() => client.Dispose();

    public async Task<Browser> Open(string address)
    {
        using var answer = await client.GetAsync(address);
        return await Show(answer);
    }

    /// <summary>Sends the open page's form for this address.</summary>
    public async Task<Browser> Submit(string action, params (string Name, string Value)[] typed)
    {
        using var content = new FormUrlEncodedContent(Hidden(action).Concat(typed).Select(it => KeyValuePair.Create(it.Item1, it.Item2)));
        using var answer = await client.PostAsync(action, content);
        return await Show(answer);
    }

    /// <summary>Sends the open page's upload form: hidden fields first, as they stand in it.</summary>
    public async Task<Browser> Upload(string action, string field, params (string Name, byte[] Content)[] files)
    {
        using var content = new MultipartFormDataContent();
        foreach (var (name, value) in Hidden(action))
        {
            content.Add(new StringContent(value), name);
        }

        foreach (var (name, bytes) in files)
        {
            content.Add(new ByteArrayContent(bytes), field, name);
        }

        using var answer = await client.PostAsync(action, content);
        return await Show(answer);
    }

    /// <summary>The address behind the first link with these words.</summary>
    public string Link(string words) =>
        Links().Matches(Html).Where(it => it.Groups[2].Value.Contains(words, StringComparison.Ordinal)).Select(it => WebUtility.HtmlDecode(it.Groups[1].Value)).FirstOrDefault()
            ?? throw new ShouldAssertException($"{Path} has no link \u201c{words}\u201d:\n{Html}");

    /// <summary>Where the open page's forms lead.</summary>
    public IReadOnlyList<string> Actions => [.. Forms().Matches(Html).Select(it => WebUtility.HtmlDecode(it.Groups[1].Value))];

    /// <summary>Posts to an address with the cookies and nothing else, as another site's form would.</summary>
    public Task<HttpResponseMessage> Send(string address) => client.PostAsync(address, new FormUrlEncodedContent([]));

    public Task<byte[]> Fetch(string address) => client.GetByteArrayAsync(address);

    private List<(string Name, string Value)> Hidden(string action)
    {
        var form = Forms().Matches(Html).FirstOrDefault(it => WebUtility.HtmlDecode(it.Groups[1].Value) == action)
            ?? throw new ShouldAssertException($"{Path} has no form for {action}:\n{Html}");
        return [.. HiddenInputs().Matches(form.Groups[2].Value).Select(it => (it.Groups[1].Value, WebUtility.HtmlDecode(it.Groups[2].Value)))];
    }

    private async Task<Browser> Show(HttpResponseMessage answer)
    {
        Html = await answer.Content.ReadAsStringAsync();
        Path = answer.RequestMessage!.RequestUri!.PathAndQuery;
        Status = answer.StatusCode;
        return this;
    }

    [GeneratedRegex("""<form[^>]*\baction="([^"]*)"[^>]*>(.*?)</form>""", RegexOptions.Singleline)]
    private static partial Regex Forms();

    [GeneratedRegex("""<input type="hidden" name="([^"]*)" value="([^"]*)" ?/?>""")]
    private static partial Regex HiddenInputs();

    [GeneratedRegex("""<a\b[^>]*\bhref="([^"]*)"[^>]*>(.*?)</a>""", RegexOptions.Singleline)]
    private static partial Regex Links();
}
