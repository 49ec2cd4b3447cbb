using System.Text;
using System.Text.RegularExpressions;
using CaveComm.Domain.Notifications;
using CaveComm.Providers;
using CaveComm.Providers.Mail;
using Microsoft.Extensions.Logging.Abstractions;
using Shouldly;
using Mail = CaveComm.Domain.Notifications.Mail;

namespace CaveComm.Tests.Providers;

public sealed partial class SmtpMailSenderTests
{
    private static readonly Mail Letter = new(
        "commission.0198a000000070008000000000000042.declined", "ada@example.com", "Ada Ł.", "Your portrait — declined",
        "Dear Ada,\n.\nSorry — ü.\n", "<p>Dear Ada, sorry — ü.</p>");

    private static readonly CancellationToken Cancel = TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_mail_carries_our_message_id_once_and_no_other()
    {
        await using var server = new MailServer();

        await Sender(server).Send(Letter, Cancel);
        await Sender(server).Send(Letter, Cancel);

        server.Mails.Count.ShouldBe(2);
        server.Mails.ShouldAllBe(mail => MessageIds().Count(mail) == 1);
        server.Mails[0].ShouldContain("Message-ID: <commission.0198a000000070008000000000000042.declined@cave.example>\r\n", Case.Insensitive);
    }

    [Fact]
    public async Task A_mail_has_its_words_as_text_and_as_html_in_utf8()
    {
        await using var server = new MailServer();

        await Sender(server).Send(Letter, Cancel);

        var mail = server.Mails.ShouldHaveSingleItem();
        mail.ShouldContain("multipart/alternative", Case.Insensitive);
        mail.IndexOf("text/plain", StringComparison.OrdinalIgnoreCase).ShouldBeLessThan(mail.IndexOf("text/html", StringComparison.OrdinalIgnoreCase));
        Decoded(mail).ShouldBe([Letter.Text, Letter.Html]);
        mail.ShouldAllBe(sign => sign < 128);
        server.Commands.ShouldContain("RCPT TO:<ada@example.com>");
    }

    [Fact]
    public async Task Customers_words_cannot_begin_a_header()
    {
        await using var server = new MailServer();

        await Sender(server).Send(Letter with { Subject = "Hello\r\nBcc: all@example.com\u2028x", ToName = "Ada\r\nX-Evil: 1" }, Cancel);

        var headers = server.Mails.ShouldHaveSingleItem().Split("\r\n\r\n")[0];
        headers.ShouldNotContain("\nBcc:");
        headers.ShouldNotContain("\nX-Evil:");
        headers.ShouldContain("Subject: Hello Bcc: all@example.com x");
    }

    [Theory]
    [InlineData("ada@example.com\r\nBcc: all@example.com")]
    [InlineData("ada@example.com\nRCPT TO:<all@example.com>")]
    [InlineData("no address")]
    [InlineData("")]
    public async Task What_is_no_address_is_refused_before_the_server_is_asked(string to)
    {
        await using var server = new MailServer();

        await Should.ThrowAsync<MailRefusedException>(() => Sender(server).Send(Letter with { To = to }, Cancel));

        server.Commands.ShouldBeEmpty();
    }

    [Theory]
    [InlineData("a b")]
    [InlineData("a>\r\nX: 1")]
    [InlineData("a@b")]
    [InlineData("")]
    public async Task A_message_id_of_other_signs_is_a_mistake_of_ours(string id)
    {
        await using var server = new MailServer();

        await Should.ThrowAsync<ArgumentException>(() => Sender(server).Send(Letter with { MessageId = id }, Cancel));
    }

    [Theory]
    [InlineData("RCPT", "550 no such mailbox")]
    [InlineData("RCPT", "553 not allowed")]
    [InlineData("END", "554 looks like spam")]
    [InlineData("DATA", "554 no valid recipients")]
    [InlineData("MAIL", "550 sender refused")]
    public async Task A_lasting_no_is_a_refusal(string command, string answer)
    {
        await using var server = new MailServer((command, answer));

        await Should.ThrowAsync<MailRefusedException>(() => Sender(server).Send(Letter, Cancel));
    }

    [Theory]
    [InlineData("RCPT", "450 mailbox busy")]
    [InlineData("RCPT", "451 greylisted")]
    [InlineData("MAIL", "452 out of storage")]
    [InlineData("MAIL", "530 authentication required")]
    [InlineData("END", "451 try again")]
    [InlineData("CONNECT", "421 too busy")]
    [InlineData("EHLO", "421 shutting down")]
    public async Task A_passing_no_is_tried_again_later(string command, string answer)
    {
        await using var server = new MailServer((command, answer));

        await Should.ThrowAsync<MailUnavailableException>(() => Sender(server).Send(Letter, Cancel));
    }

    [Fact]
    public async Task Silence_ends_with_the_time_limit()
    {
        await using var server = new MailServer(("CONNECT", "silence"));

        await Should.ThrowAsync<MailUnavailableException>(() => Sender(server, timeout: TimeSpan.FromMilliseconds(200)).Send(Letter, Cancel));
    }

    [Fact]
    public async Task A_server_that_is_not_there_is_unavailable()
    {
        var server = new MailServer();
        var sender = Sender(server);
        await server.DisposeAsync();

        await Should.ThrowAsync<MailUnavailableException>(() => sender.Send(Letter, Cancel));
    }

    [Fact]
    public async Task Where_starttls_is_asked_for_nothing_is_sent_in_the_clear()
    {
        await using var server = new MailServer(("EHLO", "250 mail.test"));

        await Should.ThrowAsync<MailUnavailableException>(() => Sender(server, SmtpSecurity.StartTls).Send(Letter, Cancel));

        server.Commands.ShouldNotContain(command => command.StartsWith("MAIL"));
        server.Mails.ShouldBeEmpty();
    }

    private static SmtpMailSender Sender(MailServer server, SmtpSecurity security = SmtpSecurity.None, TimeSpan? timeout = null) => new(
        new SmtpOptions("127.0.0.1", server.Port, "CaveComm <office@cave.example>") { Security = security, Limits = new CallLimits { Timeout = timeout ?? TimeSpan.FromSeconds(10) } },
        TimeProvider.System,
        NullLogger<SmtpMailSender>.Instance);

    private static IEnumerable<string> Decoded(string mail) => Base64Part().Matches(mail)
        .Select(part => Encoding.UTF8.GetString(Convert.FromBase64String(part.Groups[1].Value.Replace("\r\n", ""))).Replace("\r\n", "\n"));

    [GeneratedRegex("^message-id:", RegexOptions.IgnoreCase | RegexOptions.Multiline)]
    private static partial Regex MessageIds();

    [GeneratedRegex("content-transfer-encoding: base64\r\n(?:[^\r\n]+\r\n)*\r\n([A-Za-z0-9+/=\r\n]+)", RegexOptions.IgnoreCase)]
    private static partial Regex Base64Part();
}
