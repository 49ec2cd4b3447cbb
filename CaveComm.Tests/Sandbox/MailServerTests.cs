using System.Net;
using System.Net.Http.Json;
using System.Net.Mail;
using System.Net.Sockets;
using System.Text;
using System.Text.Json.Nodes;
using CaveComm.Sandbox.Mail;
using CaveComm.Sandbox.Storage;
using CaveComm.Tests.Support;
using Shouldly;

namespace CaveComm.Tests.Sandbox;

public sealed class MailServerTests : IAsyncLifetime
{
    private readonly TestFolder folder = new();
    private readonly HttpClient http = new();
    private SandboxStore store = null!;
    private MailServer server = null!;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => await Start();

    public async ValueTask DisposeAsync()
    {
        await Stop();
        http.Dispose();
        folder.Dispose();
    }

    [Fact]
    public async Task A_mail_with_text_and_page_arrives_as_it_was_written()
    {
        using var mail = Mail("grüße@example.com", "Dein Porträt ist fertig 🎨 – und der Betreff ist so lang, dass er gewiss in mehrere Zeilen zerfällt");
        mail.Body = "Zeile eins\n.\n..zwei Punkte\n" + new string('ö', 600);
        mail.AlternateViews.Add(AlternateView.CreateAlternateViewFromString("<p>Grüße <b>fett</b></p>", Encoding.UTF8, "text/html"));
        await Send(mail);

        var only = (await Messages()).ShouldHaveSingleItem()!;
        ((string?)only["subject"]).ShouldBe(mail.Subject);
        ((string?)only["to"]).ShouldBe("grüße@example.com");
        ((string?)only["from"]).ShouldBe("office@cave.example");
        ((string?)only["fromName"]).ShouldBe("Höhle");
        ((string?)only["text"]).ShouldBe(mail.Body);
        ((string?)only["html"]).ShouldBe("<p>Grüße <b>fett</b></p>");
        ((int)only["copies"]!).ShouldBe(1);
    }

    [Fact]
    public async Task Two_copies_of_one_message_id_are_one_entry_with_two_copies()
    {
        foreach (var id in (string[])["a@cave", "b@cave", "a@cave"])
        {
            using var mail = Mail("ada@example.com", $"Mail {id}");
            mail.Headers.Add("Message-ID", $"<{id}>");
            await Send(mail);
        }

        (await Messages()).Select(it => ((string?)it!["messageId"], (int)it["copies"]!)).ShouldBe([("b@cave", 1), ("a@cave", 2)]);
    }

    [Fact]
    public async Task The_list_can_be_asked_for_one_recipient()
    {
        foreach (var to in (string[])["ada@example.com", "bob@example.com"])
        {
            using var mail = Mail(to, "Hello");
            await Send(mail);
        }

        (await Messages("?to=BOB@example.com")).ShouldHaveSingleItem()!["to"]!.ToString().ShouldBe("bob@example.com");
    }

    [Fact]
    public async Task Mails_outlive_a_restart_and_the_next_copy_still_counts()
    {
        await SendWithId("kept@cave");
        await Stop();
        await Start();
        await SendWithId("kept@cave");
        ((int)(await Messages()).ShouldHaveSingleItem()!["copies"]!).ShouldBe(2);
    }

    [Fact]
    public async Task A_refusing_server_says_so_for_good_and_a_busy_one_for_now()
    {
        await Control(new { refuse = true });
        (await Should.ThrowAsync<SmtpFailedRecipientException>(() => SendWithId("1@cave"))).StatusCode.ShouldBe(SmtpStatusCode.MailboxUnavailable);
        await Control(new { refuse = false, busy = true });
        (await Should.ThrowAsync<SmtpException>(() => SendWithId("2@cave"))).StatusCode.ShouldBe(SmtpStatusCode.LocalErrorInProcessing);
        await Control(new { busy = false });
        await SendWithId("3@cave");
        ((string?)(await Messages()).ShouldHaveSingleItem()!["messageId"]).ShouldBe("3@cave");
    }

    [Fact]
    public async Task A_server_that_is_down_refuses_connections_and_comes_back_on_its_port()
    {
        var port = server.SmtpPort;
        await Control(new { down = true });
        using (var client = new TcpClient())
        {
            (await Should.ThrowAsync<SocketException>(async () => await client.ConnectAsync(IPAddress.Loopback, port, Cancel)))
                .SocketErrorCode.ShouldBe(SocketError.ConnectionRefused);
        }

        await Control(new { down = false });
        server.SmtpPort.ShouldBe(port);
        await SendWithId("back@cave");
        (await Messages()).Count.ShouldBe(1);
    }

    [Fact]
    public async Task A_connection_dropped_after_the_data_has_kept_the_mail()
    {
        await Control(new { dropAfterDataEvery = 2 });
        await SendWithId("first@cave");
        await Should.ThrowAsync<SmtpException>(() => SendWithId("second@cave"));
        await SendWithId("second@cave");
        var messages = await Messages();
        messages.Select(it => ((string?)it!["messageId"], (int)it["copies"]!)).ShouldBe([("second@cave", 2), ("first@cave", 1)]);
    }

    [Fact]
    public async Task The_dialogue_follows_the_book()
    {
        var answers = await Talk(
            "MAIL FROM:<a@b.c>", "EHLO me", "RCPT TO:<a@b.c>", "NOOP", "AUTH PLAIN AGEAYg==", "AUTH LOGIN", "YQ==", "Yg==", "AUTH GUESS",
            "MAIL FROM:<a@b.c> SIZE=99999999", "MAIL FROM:<a@b.c> BODY=8BITMIME SMTPUTF8", "DATA", "RCPT TO:<x@y.z>", "RSET", "DATA",
            "MAIL FROM:<>", "RCPT TO:<nonsense>", "RCPT TO:<x@y.z>", "DATA", "Subject: one\r\n\r\n..dot\nMAIL FROM:<bare@lf>\r\n.", "WHAT", "QUIT");

        answers.ShouldBe([
            "220", "503", "250", "503", "250", "235", "334", "334", "235", "504", "552", "250", "503", "250", "250", "503",
            "250", "501", "250", "354", "250", "500", "221"]);
        ((string?)(await Messages()).ShouldHaveSingleItem()!["text"]).ShouldBe(".dot\nMAIL FROM:<bare@lf>");
    }

    [Fact]
    public async Task The_mailbox_shows_mail_without_running_what_is_in_it()
    {
        using var mail = Mail("ada@example.com", "<script>alert(1)</script>");
        mail.Body = "See https://cave.example/d/abc?x=1&y=2. <b>no</b>";
        mail.AlternateViews.Add(AlternateView.CreateAlternateViewFromString("<a href='https://cave.example'>go</a>", Encoding.UTF8, "text/html"));
        await Send(mail);

        var list = await http.GetStringAsync(server.Url, Cancel);
        list.ShouldContain("&lt;script&gt;");
        list.ShouldNotContain("<script>");
        var id = (string)(await Messages())[0]!["id"]!;
        var page = await http.GetStringAsync(new Uri(server.Url, $"m/{id}"), Cancel);
        page.ShouldContain("""<a href="https://cave.example/d/abc?x=1&amp;y=2" rel="noreferrer">""");
        page.ShouldContain("sandbox=\"allow-popups allow-popups-to-escape-sandbox\"");
        page.ShouldNotContain("<b>no</b>");
        page.ShouldContain("name=\"viewport\"");
    }

    [Fact]
    public async Task The_mailbox_can_be_emptied()
    {
        await SendWithId("gone@cave");
        (await http.DeleteAsync(new Uri(server.Url, "messages"), Cancel)).StatusCode.ShouldBe(HttpStatusCode.NoContent);
        (await Messages()).ShouldBeEmpty();
        await SendWithId("gone@cave");
        ((int)(await Messages()).ShouldHaveSingleItem()!["copies"]!).ShouldBe(1);
    }

    private static MailMessage Mail(string to, string subject) => new()
    {
        From = new MailAddress("office@cave.example", "Höhle"),
        To = { to },
        Subject = subject,
        Body = "Hello",
        BodyEncoding = Encoding.UTF8,
        SubjectEncoding = Encoding.UTF8,
    };

    private async Task Start()
    {
        store = new SandboxStore(folder["journal.jsonl"]);
        server = await MailServer.Start(store, 0, 0, TimeProvider.System, Cancel);
    }

    private async Task Stop()
    {
        await server.DisposeAsync();
        store.Dispose();
    }

    private async Task SendWithId(string id)
    {
        using var mail = Mail("ada@example.com", "Hello");
        mail.Headers.Add("Message-ID", $"<{id}>");
        await Send(mail);
    }

    private async Task Send(MailMessage mail)
    {
        using var client = new SmtpClient("127.0.0.1", server.SmtpPort) { DeliveryFormat = SmtpDeliveryFormat.International };
        await client.SendMailAsync(mail, Cancel);
    }

    private async Task<JsonArray> Messages(string query = "") =>
        (await http.GetFromJsonAsync<JsonArray>(new Uri(server.Url, "messages" + query), Cancel))!;

    private async Task Control(object wanted) =>
        (await http.PostAsJsonAsync(new Uri(server.Url, "_control"), wanted, Cancel)).EnsureSuccessStatusCode();

    /// <summary>Sends line by line and gives back the last code of each answer.</summary>
    private async Task<IReadOnlyList<string>> Talk(params string[] lines)
    {
        using var client = new TcpClient();
        await client.ConnectAsync(IPAddress.Loopback, server.SmtpPort, Cancel);
        var stream = client.GetStream();
        using var reader = new StreamReader(stream, Encoding.UTF8);
        var answers = new List<string> { await Code() };
        foreach (var line in lines)
        {
            await stream.WriteAsync(Encoding.UTF8.GetBytes(line + "\r\n"), Cancel);
            answers.Add(await Code());
        }

        return answers;

        async Task<string> Code()
        {
            var answer = await reader.ReadLineAsync(Cancel);
            while (answer is { Length: > 3 } && answer[3] == '-')
            {
                answer = await reader.ReadLineAsync(Cancel);
            }

            return answer![..3];
        }
    }
}
