using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using CaveComm.Tests.Support;
using Shouldly;

namespace CaveComm.Tests.Flow;

/// <summary>
/// Somebody at a computer, whose office dies now and then: asks again when no answer comes, and looks what became of an act before doing it once more.
/// </summary>
internal sealed class PatientClient : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(10);

    private readonly KillableOffice office;
    private readonly string? role;
    private readonly SignedIn session = new();
    private readonly HttpClient http;
    private int acts;

    public PatientClient(KillableOffice office, string? role)
    {
        this.office = office;
        this.role = role;
        http = new HttpClient(session)
        {
            BaseAddress = office.Url,
            Timeout = TimeSpan.FromSeconds(30),
            DefaultRequestHeaders = { Accept = { new MediaTypeWithQualityHeaderValue("application/json") } },
        };
    }

    public string Handle => (string)office.Facts["accounts"]![role!]!["handle"]!;

    /// <summary>How often something that changes the world was sent.</summary>
    public int Acts => Volatile.Read(ref acts);

    public void Dispose() => http.Dispose();

    public async Task<JsonNode> Get(string path)
    {
        JsonNode? found = null;
        await Insist($"GET {path}", async () =>
        {
            using var answer = await http.GetAsync(path, TestContext.Current.CancellationToken);
            if (await Retries(answer))
            {
                return false;
            }

            answer.StatusCode.ShouldBe(HttpStatusCode.OK, path);
            found = await answer.Content.ReadFromJsonAsync<JsonNode>(TestContext.Current.CancellationToken);
            return true;
        });
        return found!;
    }

    public async Task<string> Download(Uri link)
    {
        var text = "";
        await Insist($"GET {link}", async () =>
        {
            using var answer = await http.GetAsync(link, TestContext.Current.CancellationToken);
            if (await Retries(answer))
            {
                return false;
            }

            answer.StatusCode.ShouldBe(HttpStatusCode.OK);
            text = await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
            return true;
        });
        return text;
    }

    /// <summary>The inbox, at least as new as the log is now; null when the view has not got there yet.</summary>
    public async Task<JsonArray?> Inbox()
    {
        var position = await office.Scalar<long>("select coalesce(max(seq_id), 0) from mt_events");
        using var ask = new HttpRequestMessage(HttpMethod.Get, $"freelancer/{Handle}/inbox?limit=200");
        ask.Headers.Add("CaveComm-Position", position.ToString(System.Globalization.CultureInfo.InvariantCulture));
        using var answer = await http.SendAsync(ask, TestContext.Current.CancellationToken);
        if (await Retries(answer) || answer.Headers.Contains("CaveComm-Stale"))
        {
            return null;
        }

        return (await answer.Content.ReadFromJsonAsync<JsonObject>(TestContext.Current.CancellationToken))!["items"]!.AsArray();
    }

    public Task Put(string path, object body) => Insist($"PUT {path}", async () =>
    {
        using var answer = await http.PutAsJsonAsync(path, body, TestContext.Current.CancellationToken);
        if (await Retries(answer))
        {
            return false;
        }

        answer.IsSuccessStatusCode.ShouldBeTrue(await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
        return true;
    });

    /// <summary>Does something once.</summary>
    /// <param name="lookUp">After a lost answer: what the act would have led to; null when nothing came of it.</param>
    /// <param name="right">The answer that is expected.</param>
    /// <returns>The answer, or what <paramref name="lookUp"/> found in its place.</returns>
    public async Task<JsonNode> Post(string path, Func<HttpContent> body, Func<Task<JsonNode?>> lookUp, params HttpStatusCode[] right)
    {
        JsonNode? outcome = null;
        var isLost = false;
        await Insist($"POST {path}", async () =>
        {
            if (isLost && (outcome = await lookUp()) is not null)
            {
                return true;
            }

            isLost = true; // Until an answer says otherwise.
            Interlocked.Increment(ref acts);
            using var content = body();
            using var answer = await http.PostAsync(path, content, TestContext.Current.CancellationToken);
            if (await Retries(answer))
            {
                return false;
            }

            right.ShouldContain(answer.StatusCode, $"{path}: {await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken)}");
            outcome = await answer.Content.ReadFromJsonAsync<JsonNode>(TestContext.Current.CancellationToken);
            return true;
        });
        return outcome!;
    }

    /// <summary>No answer came. Where a connection breaks between its making and its use, .NET lets the socket's own exception through.</summary>
    internal static bool IsLost(Exception failure) =>
        failure is HttpRequestException or IOException or System.Net.Sockets.SocketException or TaskCanceledException { InnerException: TimeoutException };

    // Tries until there is an answer. A connection that breaks is what a kill looks like from outside.
    private static Task Insist(string what, Func<Task<bool>> attempt) => Eventually.Holds(
        what,
        async () =>
        {
            try
            {
                return await attempt();
            }
            catch (Exception lost) when (IsLost(lost))
            {
                return false;
            }
        },
        Patience);

    // "Not now" is no answer, and neither is "sign in first".
    private async Task<bool> Retries(HttpResponseMessage answer)
    {
        if (answer.StatusCode == HttpStatusCode.Unauthorized && role is not null)
        {
            var account = office.Facts["accounts"]![role]!;
            using var signIn = await http.PostAsJsonAsync(
                "freelancer/login", new { username = (string)account["username"]!, password = (string)account["password"]! }, TestContext.Current.CancellationToken);
            if (signIn.StatusCode == HttpStatusCode.OK)
            {
                var token = await signIn.Content.ReadFromJsonAsync<JsonObject>(TestContext.Current.CancellationToken);
                session.Token = (string)token!["access_token"]!;
            }

            return true;
        }

        return answer.StatusCode is HttpStatusCode.ServiceUnavailable or HttpStatusCode.TooManyRequests;
    }

    // Several stories share a client, so the token is put on each request and not on the client.
    private sealed class SignedIn() : DelegatingHandler(new SocketsHttpHandler { AllowAutoRedirect = false, UseCookies = false })
    {
        private volatile string? token;

        public string Token
        {
            set => token = value;
        }

        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            request.Headers.Authorization = token is null ? null : new AuthenticationHeaderValue("Bearer", token);
            return base.SendAsync(request, cancellationToken);
        }
    }
}
