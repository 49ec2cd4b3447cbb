using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using CaveComm.Api.Http;
using CaveComm.Tests.Http;
using Shouldly;

namespace CaveComm.Tests.Flow;

[CollectionDefinition(nameof(OwnAccountOffice))]
public sealed class OwnAccountCollection : ICollectionFixture<OwnAccountOffice>;

/// <summary>An office behind a trusted proxy, so that each person of a test comes from an address of the own, where freelancers register by invitation alone.</summary>
public sealed class OwnAccountOffice : IAsyncLifetime
{
    public const string Password = "correct-Horse-7-battery";
    private int people;

    public OwnAccountOffice()
    {
        Office.Extra["CaveComm:TrustedProxies"] = "127.0.0.1";
        Office.Extra["CaveComm:Registration"] = "invitation";
    }

    public Office Office { get; } = new();

    public ValueTask InitializeAsync() => Office.InitializeAsync();

    public ValueTask DisposeAsync() => Office.DisposeAsync();

    /// <summary>Somebody at an address that nobody has come from yet.</summary>
    internal OfficePerson NewStranger() => new(Office, Interlocked.Increment(ref people));

    /// <summary>A freelancer who registered by invitation and is signed in, in a browser.</summary>
    internal async Task<OfficePerson> NewFreelancer()
    {
        var person = NewStranger();
        var link = await person.Invited();
        await person.Open(link.PathAndQuery);
        await person.Send("/freelancer/register", ("handle", person.Handle), ("displayName", "Somebody"), ("email", person.Email), ("password", Password));
        person.Status.ShouldBe(HttpStatusCode.SeeOther, person.Html);
        return person;
    }
}

/// <summary>A person with a browser and, for JSON, a bearer token.</summary>
internal sealed partial class OfficePerson(Office office, int number)
{
    private readonly HttpClient browser = NewClient(office, number, "text/html", new CookieContainer());

    public string Handle { get; } = string.Create(CultureInfo.InvariantCulture, $"somebody-{number}");

    public string Email => $"{Handle}@people.example";

    public string Html { get; private set; } = "";

    public HttpStatusCode Status { get; private set; }

    public HttpResponseMessage Answer { get; private set; } = null!;

    /// <summary>Without cookies, asking for JSON.</summary>
    public HttpClient Program(string? bearer = null)
    {
        var client = NewClient(office, number, "application/json", null);
        client.DefaultRequestHeaders.Authorization = bearer is null ? null : new AuthenticationHeaderValue("Bearer", bearer);
        return client;
    }

    /// <summary>The same person at another device.</summary>
    public OfficePerson Elsewhere() => new(office, number);

    public async Task<HttpResponseMessage> SignInByJson(string password, string? code = null) =>
        await Program().PostAsJsonAsync("freelancer/login", new { username = Handle, password, code });

    public async Task<HttpClient> SignedInProgram(string password = OwnAccountOffice.Password)
    {
        using var answer = await SignInByJson(password);
        answer.StatusCode.ShouldBe(HttpStatusCode.OK, await answer.Text());
        return Program((await answer.Json()).GetProperty("access_token").GetString());
    }

    public async Task<OfficePerson> SignIn(string password = OwnAccountOffice.Password)
    {
        await Open("/freelancer/login");
        return await Send("/freelancer/login", ("username", Handle), ("password", password));
    }

    /// <summary>Signed in as the demo freelancer.</summary>
    public async Task<OfficePerson> AsMira()
    {
        await Open("/freelancer/login");
        await Send("/freelancer/login", ("username", Office.Mira.Handle), ("password", Office.Mira.Password));
        Status.ShouldBe(HttpStatusCode.SeeOther, Html);
        return this;
    }

    public async Task<OfficePerson> Open(string path) => await Show(await browser.GetAsync(path));

    /// <summary>Sends the open page's form for this address, with the hidden fields that stand in it.</summary>
    public async Task<OfficePerson> Send(string action, params (string Name, string Value)[] typed)
    {
        var form = Forms().Matches(Html).Select(it => it.Value).FirstOrDefault(it => it.Contains($"action=\"{action}\"", StringComparison.Ordinal))
            ?? throw new InvalidOperationException($"There is no form for {action} on this page: {Html}");
        var fields = Hidden().Matches(form).Select(it => (it.Groups[1].Value, WebUtility.HtmlDecode(it.Groups[2].Value))).Concat(typed);
        return await Show(await browser.PostAsync(action, TestSite.FormBody([.. fields])));
    }

    /// <summary>As another site would send it: with the cookies, without the form's token.</summary>
    public async Task<HttpResponseMessage> Forged(string action) => await browser.PostAsync(action, TestSite.FormBody(("password", "x")));

    /// <summary>As a program does that was given the browser's cookies, and knows of the form's token.</summary>
    public async Task<HttpResponseMessage> PutWithCookie(string path, object body)
    {
        await Open("/account/keys");
        using var request = new HttpRequestMessage(HttpMethod.Put, path) { Content = JsonContent.Create(body) };
        request.Headers.Accept.ParseAdd("application/json");
        request.Headers.Add(Antiforgery.HeaderName, Hidden().Matches(Html).Select(it => WebUtility.HtmlDecode(it.Groups[2].Value)).First());
        return await browser.SendAsync(request);
    }

    /// <summary>The link of the newest mail with this in its subject.</summary>
    public async Task<Uri> Mailed(string subject, string? to = null) => LinkIn(await office.Mail(to ?? Email, subject));

    public async Task<IReadOnlyList<JsonObject>> Mails(string subject) =>
        [.. (await office.Mails(Email)).Where(it => ((string)it["subject"]!).Contains(subject, StringComparison.Ordinal))];

    public static Uri LinkIn(JsonObject mail) => new(Links().Match((string)mail["text"]!).Value);

    /// <summary>Has an administrator send an invitation.</summary>
    public async Task<Uri> Invited()
    {
        using var answer = await office.Admin.PostAsJsonAsync("invitations", new { email = Email });
        answer.StatusCode.ShouldBe(HttpStatusCode.Created, await answer.Text());
        return await Mailed("You are invited");
    }

    private async Task<OfficePerson> Show(HttpResponseMessage answer)
    {
        (Answer, Status, Html) = (answer, answer.StatusCode, await answer.Content.ReadAsStringAsync());
        return this;
    }

    private static HttpClient NewClient(Office office, int number, string accept, CookieContainer? cookies)
    {
        var handler = new SocketsHttpHandler { AllowAutoRedirect = false, UseCookies = cookies is not null, CookieContainer = cookies ?? new CookieContainer() };
        var client = new HttpClient(handler) { BaseAddress = office.Url };
        client.DefaultRequestHeaders.Accept.Add(new MediaTypeWithQualityHeaderValue(accept));
        client.DefaultRequestHeaders.Add("X-Forwarded-For", string.Create(CultureInfo.InvariantCulture, $"10.7.{number >> 8}.{number & 255}"));
        return client;
    }

    [GeneratedRegex("<form .*?</form>", RegexOptions.Singleline)]
    private static partial Regex Forms();

    [GeneratedRegex("type=\"hidden\" name=\"([^\"]+)\" value=\"([^\"]*)\"")]
    private static partial Regex Hidden();

    [GeneratedRegex(@"https?://\S+")]
    private static partial Regex Links();
}
