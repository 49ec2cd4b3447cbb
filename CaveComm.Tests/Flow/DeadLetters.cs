using CaveComm.Api.Payments;
using CaveComm.Messaging;
using CaveComm.Tests.Support;
using Microsoft.Extensions.DependencyInjection;

namespace CaveComm.Tests.Flow;

/// <summary>Puts messages into an office's tables as they would stand there after some trouble.</summary>
internal static class DeadLetters
{
    /// <summary>A letter that is handled without any effect when it is sent again: its commission does not exist.</summary>
    public static async Task<Guid> Dead(this Office office, string reason, string queue = "mail", Guid? commission = null)
    {
        var id = Guid.CreateVersion7();
        await office.Database.Execute(
            $$"""
            insert into cavecomm_dead_letters (id, type, queue, group_key, body, headers, errors, attempts, replays, reason, trace_id, created_at, dead_at)
            values ('{{id}}', 'mail-customer', '{{queue}}', 'mail:{{commission ?? id}}', '{"commission": "{{commission ?? id}}", "letter": "WorkBegins", "number": 0}',
                '{"traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"}',
                '[{"at": "2026-03-01T12:00:00+00:00", "attempt": 1, "type": "System.Net.Sockets.SocketException", "message": "Nobody listens at mail.example for kate@example.com."},
                  {"at": "2026-03-01T12:00:05+00:00", "attempt": 2, "type": "CaveComm.Domain.Notifications.MailRefusedException", "message": "{{reason}}"}]',
                2, 0, '{{reason}}', '0af7651916cd43dd8448eb211c80319c', now() - interval '1 minute', now());
            """);
        return id;
    }

    /// <summary>A message that failed and waits for its next attempt tomorrow.</summary>
    public static async Task<Guid> Retrying(this Office office, string group)
    {
        var id = Guid.CreateVersion7();
        await office.Database.Execute(
            $$"""
            insert into cavecomm_messages (id, type, queue, group_key, body, headers, errors, attempts, due_at)
            values ('{{id}}', 'mail-customer', 'mail', '{{group}}', '{"commission": "{{id}}", "letter": "WorkBegins", "number": 0}', '{}',
                '[{"at": "2026-03-01T12:00:00+00:00", "attempt": 1, "type": "CaveComm.Domain.Notifications.MailUnavailableException", "message": "The mail server is away."}]',
                1, now() + interval '1 day');
            """);
        return id;
    }

    /// <summary>Something about money did not fit.</summary>
    public static async Task<Guid> Raise(this Office office, Guid commission, string reason)
    {
        await using (var scope = office.Services.CreateAsyncScope())
        {
            await scope.ServiceProvider.GetRequiredService<IMessageBus>().PublishAsync(new Alarm(commission, reason));
        }

        Guid? id = null;
        await Eventually.Holds("the alarm lies among the dead letters", async () =>
            (id = (await office.Messages.List(new MessageFilter(MessageState.Dead, "alarm"), 200, null, CancellationToken.None))
                .FirstOrDefault(it => it.Reason!.Contains(reason, StringComparison.Ordinal))?.Id) is not null);
        return id!.Value;
    }
}
