using System.Text.Json;
using System.Text.Json.Nodes;
using CaveComm.Sandbox.Http;
using CaveComm.Sandbox.Storage;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;

namespace CaveComm.Sandbox.Mail;

/// <summary>A mail server on 127.0.0.1, and the mailbox in which everything it takes can be read.</summary>
public sealed class MailServer : IAsyncDisposable
{
    private readonly SmtpSwitches switches = new();
    private readonly Mailbox mailbox;
    private readonly SmtpServer smtp;
    private readonly ITimer back;
    private WebApplication web = null!;

    private MailServer(SandboxStore store, int smtpPort, TimeProvider time)
    {
        mailbox = new Mailbox(store, time);
        smtp = new SmtpServer(smtpPort, switches, mailbox.Keep, time);
        back = time.CreateTimer(_ => _ = smtp.SetDown(false), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    /// <summary>The mailbox's address, with a slash at the end.</summary>
    public Uri Url => web.Url();

    public int SmtpPort => smtp.Port;

    /// <param name="smtpPort">0 takes a free one, as does <paramref name="webPort"/>.</param>
    public static async Task<MailServer> Start(SandboxStore store, int smtpPort, int webPort, TimeProvider time, CancellationToken cancel)
    {
        var server = new MailServer(store, smtpPort, time);
        try
        {
            server.web = await LoopbackWeb.Start(webPort, server.Map, cancel);
            return server;
        }
        catch
        {
            await server.smtp.DisposeAsync();
            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        await back.DisposeAsync();
        await smtp.DisposeAsync();
        await web.StopAsync();
        await web.DisposeAsync();
    }

    private void Map(WebApplication app)
    {
        app.MapGet("/", http => http.Response.Html(MailboxPages.List(mailbox.All(To(http)))));
        app.MapGet("/m/{id}", http => mailbox.Find((string)http.Request.RouteValues["id"]!) is { } mail
            ? http.Response.Html(MailboxPages.One(mail))
            : http.Response.Html(Page.Html("No such mail", "<h1>No such mail</h1><p><a href=\"/\">Mailbox</a></p>"), StatusCodes.Status404NotFound));
        app.MapGet("/messages", http => http.Response.Json(new JsonArray([.. mailbox.All(To(http))])));
        app.MapGet("/messages/{id}", http => mailbox.Find((string)http.Request.RouteValues["id"]!) is { } mail
            ? http.Response.Json(mail)
            : http.Response.Json(new JsonObject { ["error"] = "There is no such mail." }, StatusCodes.Status404NotFound));
        app.MapDelete("/messages", http =>
        {
            mailbox.Clear();
            http.Response.StatusCode = StatusCodes.Status204NoContent;
            return Task.CompletedTask;
        });
        app.MapGet("/_control", Show);
        app.MapPost("/_control", Control);
    }

    private async Task Control(HttpContext http)
    {
        if (await http.Request.JsonBody() is not { } wanted)
        {
            await http.Response.Json(new JsonObject { ["error"] = "The body must be a JSON object." }, StatusCodes.Status400BadRequest);
            return;
        }

        try
        {
            if ((bool?)wanted["reset"] == true)
            {
                (switches.Refuse, switches.Busy) = (false, false);
                switches.Count(0);
                await Down(false, Timeout.InfiniteTimeSpan);
            }

            switches.Refuse = (bool?)wanted["refuse"] ?? switches.Refuse;
            switches.Busy = (bool?)wanted["busy"] ?? switches.Busy;
            if ((int?)wanted["dropAfterDataEvery"] is { } every)
            {
                switches.Count(every);
            }

            if ((bool?)wanted["down"] is { } down)
            {
                await Down(down, Timeout.InfiniteTimeSpan);
            }

            if ((int?)wanted["downSeconds"] is > 0 and var seconds)
            {
                await Down(true, TimeSpan.FromSeconds(seconds));
            }
        }
        catch (Exception fault) when (fault is InvalidOperationException or FormatException or JsonException)
        {
            await http.Response.Json(
                new JsonObject { ["error"] = "refuse, busy, down and reset are true or false, dropAfterDataEvery and downSeconds are numbers." },
                StatusCodes.Status400BadRequest);
            return;
        }

        await Show(http);
    }

    private async Task Down(bool down, TimeSpan until)
    {
        await smtp.SetDown(down);
        back.Change(until, Timeout.InfiniteTimeSpan);
    }

    private Task Show(HttpContext http) => http.Response.Json(new JsonObject
    {
        ["refuse"] = switches.Refuse,
        ["busy"] = switches.Busy,
        ["down"] = smtp.IsDown,
        ["dropAfterDataEvery"] = switches.DropAfterDataEvery,
    });

    private static string? To(HttpContext http) => http.Request.Query["to"].FirstOrDefault() is { Length: > 0 } to ? to : null;
}
