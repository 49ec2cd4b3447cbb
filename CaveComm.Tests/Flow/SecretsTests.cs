using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using System.Text.RegularExpressions;
using CaveComm.Tests.Http;
using CaveComm.Tests.OAuth;
using CaveComm.Tests.Support;
using Microsoft.AspNetCore.WebUtilities;
using Shouldly;

namespace CaveComm.Tests.Flow;

/// <summary>
/// Plays all that has to do with passwords, tokens, codes and keys, rightly and wrongly, and looks for each of them in everything that the product
/// said and wrote down meanwhile: logs, traces, problem documents, pages, every row as it was written, mails.
/// </summary>
public sealed class SecretsTests : IAsyncLifetime
{
    private const string NewPassword = "granite-Lantern-4-willow";
    private const string LastPassword = "quartz-Feather-8-meadow";
    private const string WrongPassword = "wrong-Guess-3-velvet";
    private const string Callback = "https://secret-app.example/callback";
    private const int MostTold = 2_000;

    private readonly OwnAccountOffice fixture = new();
    private readonly Overheard heard = new();
    private readonly List<Secret> secrets = [];

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private Office Office => fixture.Office;

    public async ValueTask InitializeAsync()
    {
        Office.Extra["Logging:LogLevel:CaveComm"] = "Trace";
        Office.Extra["Logging:Console:LogLevel:Default"] = "Error";
        Office.BeforeStart = heard.Attach;
        await fixture.InitializeAsync();
        await Overheard.ListenTo(Office.Database);
    }

    public async ValueTask DisposeAsync()
    {
        await fixture.DisposeAsync();
        heard.Dispose();
    }

    [Fact]
    public async Task No_password_token_code_or_key_is_in_anything_that_is_said_or_written()
    {
        var person = await Registered();
        await SignsIn(person);
        var recovery = await TurnsOnTheSecondFactor(person);
        await ChangesThePassword(person, recovery);
        using var program = await LetIn(person, NewPassword, recovery[2]);
        await MakesAKey(person, program);
        await LetsAnAppIn(person, recovery[3]);
        await ForgetsThePassword(person);
        await ServesACustomer();
        Know("Stripe's key", Office.Sandbox.StripeApiKey);
        Know("Stripe's webhook secret", Office.Sandbox.StripeWebhookSecret);
        Know("BTCPay's key", Office.Sandbox.BtcPayApiKey);
        Know("BTCPay's webhook secret", Office.Sandbox.BtcPayWebhookSecret);
        foreach (var (name, password) in new[] { Office.Mira, Office.Jonas, Office.Vera, Office.Otto })
        {
            Know($"{name}'s password", password);
        }

        await heard.Gather(Office.Database);
        foreach (var mail in await Office.Mails(""))
        {
            heard.Add("mail", (string)mail["subject"]!, $"{(string)mail["text"]!}\n{(string?)mail["html"]}");
        }

        Heard("log").ShouldBeGreaterThan(0);
        Heard("trace").ShouldBeGreaterThan(100);
        Heard("row").ShouldBeGreaterThan(200);
        Heard("problem").ShouldBeGreaterThan(15);
        secrets.Count.ShouldBeGreaterThan(40);
        secrets.ShouldAllBe(it => it.Value.Length >= Secret.Shortest);
        Leaks().Take(20).ShouldBeEmpty();
    }

    private int Heard(string kind) => heard.All.Count(it => it.Kind == kind);

    private IEnumerable<string> Leaks() =>
        from secret in secrets
        from look in secret.Looks
        from said in heard.All
        where !secret.MayBeIn.Contains(said.Kind)
        let at = said.Text.IndexOf(look, StringComparison.Ordinal)
        where at >= 0
        select $"{secret.Name} is in a {said.Kind} ({said.Where}): {said.Text[Math.Max(0, at - 200)..Math.Min(said.Text.Length, at + MostTold / 20)]}";

    private void Know(string name, string value, params string[] mayBeIn) => secrets.Add(new(name, value, mayBeIn));

    private async Task<OfficePerson> Registered()
    {
        var person = await fixture.NewFreelancer();
        Know("the password", OwnAccountOffice.Password);
        Know("the invitation", Token(await person.Mailed("You are invited")), "mail", "page");
        KnowCookies(person);
        await Tell(person.Program().PostAsJsonAsync("freelancer/register", new { handle = "X", displayName = "", email = "", password = WrongPassword, invitation = "guessed" }));
        return person;
    }

    private async Task SignsIn(OfficePerson person)
    {
        Know("the wrong password", WrongPassword);
        await Tell(person.SignInByJson(WrongPassword));
        await Tell(person.Program().PostAsync("freelancer/login", TestSite.JsonBody($$"""{"username":"{{person.Handle}}","password":["{{WrongPassword}}"]}""")));
        await Tell(person.Program().PostAsync("freelancer/login", TestSite.JsonBody($$"""{"username":"{{person.Handle}}","password":"{{WrongPassword}}" """)));
        var elsewhere = person.Elsewhere();
        await elsewhere.SignIn(WrongPassword);
        heard.Add("page", "/freelancer/login", elsewhere.Html);
        await elsewhere.SignIn();
        KnowCookies(elsewhere);
        var tokens = await Tell(person.SignInByJson(OwnAccountOffice.Password));
        KnowTokens("the program", tokens);
        await Tell(person.Program(tokens.GetProperty("access_token").GetString() + "x").GetAsync("account"));
        await Tell(person.Program(tokens.GetProperty("refresh_token").GetString()).GetAsync("account"));
    }

    private async Task<IReadOnlyList<string>> TurnsOnTheSecondFactor(OfficePerson person)
    {
        using var program = await LetIn(person, OwnAccountOffice.Password, null);
        var offer = (await Tell(program.GetAsync("account/second-factor"))).GetProperty("offer");
        var (seed, setup) = (offer.GetProperty("secret").GetString()!, offer.GetProperty("setup").GetString()!);
        Know("the seed", seed);
        Know("the seed, sealed for the form", setup);
        await Tell(program.PostAsJsonAsync("account/second-factor", new { setup, code = "000000", password = OwnAccountOffice.Password }));
        await Tell(program.PostAsJsonAsync("account/second-factor", new { setup, code = Identity.AuthenticatorApp.CodeNow(seed), password = WrongPassword }));
        var codes = (await Tell(program.PostAsJsonAsync("account/second-factor", new { setup, code = Identity.AuthenticatorApp.CodeNow(seed), password = OwnAccountOffice.Password })))
            .GetProperty("recoveryCodes").EnumerateArray().Select(it => it.GetString()!).ToList();
        foreach (var code in codes)
        {
            Know("a recovery code", code);
            Know("a recovery code without its hyphen", code.Replace("-", "", StringComparison.Ordinal));
        }

        await Tell(person.SignInByJson(OwnAccountOffice.Password));
        await Tell(person.SignInByJson(OwnAccountOffice.Password, codes[0]));
        await Tell(person.SignInByJson(OwnAccountOffice.Password, codes[0]));
        return codes;
    }

    private async Task ChangesThePassword(OfficePerson person, IReadOnlyList<string> recovery)
    {
        Know("the new password", NewPassword);
        using var program = await LetIn(person, OwnAccountOffice.Password, recovery[1]);
        await Tell(program.PostAsJsonAsync("account/password", new { current = WrongPassword, password = NewPassword }));
        await Tell(program.PostAsJsonAsync("account/password", new { current = OwnAccountOffice.Password, password = "short" }));
        await Tell(program.PostAsJsonAsync("account/password", new { current = OwnAccountOffice.Password, password = NewPassword }));
        await Tell(program.GetAsync("account"));
    }

    private async Task MakesAKey(OfficePerson person, HttpClient program)
    {
        var key = (await Tell(program.PostAsJsonAsync("account/keys", new { name = "A key", scopes = new[] { "commissions:read" } }))).GetProperty("key").GetString()!;
        Know("the key", key);
        Know("the key's secret", key.Split('_', 4)[3]);
        await Tell(person.Program(key).GetAsync($"freelancer/{person.Handle}/inbox"));
        await Tell(person.Program(key).GetAsync("account"));
        await Tell(person.Program(key + "x").GetAsync("account"));
        await Tell(program.DeleteAsync("account/keys/1"));
        await Tell(person.Program(key).GetAsync($"freelancer/{person.Handle}/inbox"));
    }

    private async Task LetsAnAppIn(OfficePerson person, string recoveryCode)
    {
        var client = await Tell(Office.Admin.PostAsJsonAsync("admin/oauth/clients", new
        {
            name = "An app",
            redirectUris = new[] { Callback },
            grantTypes = new[] { "authorization_code", "refresh_token", "client_credentials" },
            roles = new[] { "auditor" },
        }));
        var (id, secret) = (client.GetProperty("client_id").GetString()!, client.GetProperty("client_secret").GetString()!);
        Know("the app's secret", secret);
        Know("the verifier", OAuthTalk.Verifier);

        var browser = person.Elsewhere();
        await browser.Open("/freelancer/login");
        await browser.Send("/freelancer/login", ("username", person.Handle), ("password", NewPassword));
        heard.Add("page", "/freelancer/login", browser.Html);
        await browser.Send("/freelancer/login", ("code", recoveryCode));
        KnowCookies(browser);
        await browser.Open("/oauth2/authorize" + OAuthTalk.Query(("client_id", id), ("redirect_uri", Callback), ("scope", "commissions:read openid")));
        await browser.Send("/oauth2/authorize", ("decision", "allow"));
        var code = QueryHelpers.ParseQuery(browser.Answer.Headers.Location!.Query)["code"].ToString();
        Know("the code", code);

        (string, string)[] redeem = [("grant_type", "authorization_code"), ("client_id", id), ("code", code), ("redirect_uri", Callback), ("code_verifier", OAuthTalk.Verifier)];
        await Token([.. redeem, ("client_secret", secret + "x")]);
        var tokens = await Token([.. redeem, ("client_secret", secret)]);
        KnowTokens("the app", tokens);
        Know("the ID token", tokens.GetProperty("id_token").GetString()!);
        var refresh = tokens.GetProperty("refresh_token").GetString()!;
        await Ask("introspect", ("client_id", id), ("client_secret", secret), ("token", refresh));
        await Token(("grant_type", "refresh_token"), ("client_id", id), ("client_secret", secret), ("refresh_token", refresh + "x"));
        var next = await Token(("grant_type", "refresh_token"), ("client_id", id), ("client_secret", secret), ("refresh_token", refresh));
        KnowTokens("the app, refreshed", next);
        await Tell(person.Program(next.GetProperty("access_token").GetString()).GetAsync("account"));
        await Ask("revoke", ("client_id", id), ("client_secret", secret), ("token", next.GetProperty("refresh_token").GetString()!));
        await Token(("grant_type", "refresh_token"), ("client_id", id), ("client_secret", secret), ("refresh_token", refresh));
        await Token([.. redeem, ("client_secret", secret)]);
        var machine = await Token(("grant_type", "client_credentials"), ("client_id", id), ("client_secret", secret));
        Know("the machine's token", machine.GetProperty("access_token").GetString()!);
        await Tell(Office.Client(machine.GetProperty("access_token").GetString()).GetAsync("audit"));
    }

    private async Task ForgetsThePassword(OfficePerson person)
    {
        Know("the last password", LastPassword);
        using var stranger = person.Program();
        await Tell(stranger.PostAsJsonAsync("account/password-reset", new { username = person.Handle }));
        var token = Token(await person.Mailed("Choose a new password"));
        Know("the link to a new password", token, "mail", "page");
        await Tell(stranger.PostAsJsonAsync("account/password-reset/new", new { token = token + "x", password = LastPassword }));
        await Tell(stranger.PostAsJsonAsync("account/password-reset/new", new { token, password = "short" }));
        await Tell(stranger.PostAsJsonAsync("account/password-reset/new", new { token, password = LastPassword }));
        await Tell(stranger.PostAsJsonAsync("account/password-reset/new", new { token, password = NewPassword }));
    }

    private async Task ServesACustomer()
    {
        var story = await new Story(Office).Publish("upFront", "stripe");
        await story.Request("stripe");
        await story.Accept();
        await story.Reaches("awaitingPayment");
        await story.Pay();
        await story.Reaches("inProgress");
        await story.Upload();
        await Eventually.Holds("it is delivered", async () => (string)(await story.Detail())["status"]! is "delivered" or "paidOut");
        Know("the status link", Token(new Uri(story.StatusUrl)), "mail", "page");
        var view = await Tell(Office.Anonymous.GetAsync(story.StatusUrl));
        var download = new Uri(view.GetProperty("downloadUrl").GetString()!);
        Know("the download link", download.Segments[^1], "mail", "page");
        (await Office.Anonymous.GetAsync(download, Cancel)).StatusCode.ShouldBe(HttpStatusCode.OK);
        await Tell(Office.Anonymous.GetAsync(download + "x"));
        await Tell(Office.Anonymous.GetAsync($"{download}/{Guid.NewGuid()}"));
        await Tell(Office.Anonymous.GetAsync(story.StatusUrl + "x"));
        await Tell(Office.Anonymous.DeleteAsync(download));
        await Tell(Office.Anonymous.PostAsync(download + "/renew", null));
        await Office.Mail(story.CustomerEmail, story.Title);
    }

    private async Task<HttpClient> LetIn(OfficePerson person, string password, string? code)
    {
        var tokens = await Tell(person.SignInByJson(password, code));
        KnowTokens("a sign-in", tokens);
        return person.Program(tokens.GetProperty("access_token").GetString());
    }

    private Task<JsonElement> Token(params (string, string)[] form) => Ask("token", form);

    private Task<JsonElement> Ask(string endpoint, params (string, string)[] form) => Tell(Office.Anonymous.PostAsync($"oauth2/{endpoint}", TestSite.FormBody(form)));

    /// <summary>What is refused is heard; what is given is for the asker alone.</summary>
    private async Task<JsonElement> Tell(Task<HttpResponseMessage> asked)
    {
        using var answer = await asked;
        var text = await answer.Text();
        if ((int)answer.StatusCode >= 400)
        {
            heard.Add("problem", $"{answer.RequestMessage!.Method} {answer.RequestMessage.RequestUri!.AbsolutePath}", $"{text}\n{answer.Headers}");
        }

        return text.Length > 0 && text[0] == '{' ? JsonDocument.Parse(text).RootElement.Clone() : default;
    }

    private void KnowTokens(string whose, JsonElement tokens)
    {
        var access = tokens.GetProperty("access_token").GetString()!;
        Know($"{whose}'s token", access);
        Know($"{whose}'s token's signature", access.Split('.')[2]);
        Know($"{whose}'s refresh token", tokens.GetProperty("refresh_token").GetString()!);
    }

    private void KnowCookies(OfficePerson person)
    {
        var cookies = person.Answer.Headers.GetValues("Set-Cookie").Select(it => it.Split(';')[0]).Where(it => !it.StartsWith("cavecomm-position=", StringComparison.Ordinal)).ToList();
        cookies.ShouldContain(it => it.StartsWith("cavecomm-session=", StringComparison.Ordinal));
        foreach (var cookie in cookies)
        {
            Know($"the cookie {cookie.Split('=')[0]}", cookie[(cookie.IndexOf('=', StringComparison.Ordinal) + 1)..]);
        }
    }

    private static string Token(Uri link) => Uri.UnescapeDataString(Regex.Match(link.Query, "[?&](?:token|invitation)=([^&]+)").Groups[1].Value);
}
