using System.Globalization;
using System.Net.Mail;
using System.Text.Json;
using System.Text.Json.Nodes;
using CaveComm.Sandbox.Storage;

namespace CaveComm.Sandbox.Mail;

/// <summary>All mail that came, in the store.</summary>
internal sealed class Mailbox(SandboxStore store, TimeProvider time)
{
    private const string Mails = "mails";
    private const string Ids = "mail-ids";
    private int sequence;

    /// <summary>Keeps a mail; one that came before (same Message-ID) only counts as another copy of it.</summary>
    public void Keep(ReceivedMail received)
    {
        var mail = MimeReader.Read(received.Content);
        var messageId = mail.Headers["Message-ID"]?.Trim().Trim('<', '>') ?? "";
        store.Transact(work =>
        {
            if (messageId.Length > 0
                && work.Find(Ids, messageId) is { } known
                && work.Find(Mails, (string)known["mail"]!) is { } before)
            {
                before["copies"] = (int)before["copies"]! + 1;
                work.Put(Mails, (string)before["id"]!, before);
                return;
            }

            var now = time.GetUtcNow();
            // Ids sort by arrival, also within one millisecond.
            var id = $"{now.ToUnixTimeMilliseconds():x12}-{Interlocked.Increment(ref sequence) & 0xffff:x4}-{Random.Shared.Next() & 0xffff:x4}";
            work.Put(Mails, id, Document(id, messageId, received, mail, now));
            if (messageId.Length > 0)
            {
                work.Put(Ids, messageId, new JsonObject { ["mail"] = id });
            }
        });
    }

    /// <summary>Newest first.</summary>
    /// <param name="to">Only mail to this address; null for all.</param>
    public IReadOnlyList<JsonObject> All(string? to) =>
        [.. store.Transact(work => to is null ? work.All(Mails) : work.Where(Mails, it => IsTo(it, to))).Reverse()];

    public JsonObject? Find(string id) => store.Find(Mails, id);

    public void Clear() => store.Transact(work =>
    {
        foreach (var mail in work.All(Mails))
        {
            work.Remove(Mails, (string)mail["id"]!);
            work.Remove(Ids, (string)mail["messageId"]!);
        }
    });

    private static bool IsTo(JsonObject mail, string to) =>
        mail["recipients"]!.AsArray().Any(it => string.Equals((string?)it, to, StringComparison.OrdinalIgnoreCase))
        || ((string)mail["to"]!).Split(", ").Contains(to, StringComparer.OrdinalIgnoreCase);

    private static JsonObject Document(string id, string messageId, ReceivedMail received, MimeMail mail, DateTimeOffset now) => new()
    {
        ["id"] = id,
        ["messageId"] = messageId,
        ["from"] = Addresses(mail.Headers.Text("From")) is { Length: > 0 } from ? from : received.Sender,
        ["fromName"] = Name(mail.Headers.Text("From")),
        ["to"] = Addresses(mail.Headers.Text("To")) is { Length: > 0 } to ? to : string.Join(", ", received.Recipients),
        ["recipients"] = new JsonArray([.. received.Recipients.Select(it => JsonValue.Create(it))]),
        ["replyTo"] = Addresses(mail.Headers.Text("Reply-To")),
        ["subject"] = mail.Headers.Text("Subject"),
        ["text"] = mail.Text,
        ["html"] = mail.Html,
        ["attachments"] = JsonSerializer.SerializeToNode(mail.Attachments, JsonSerializerOptions.Web),
        ["date"] = now.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture),
        ["copies"] = 1,
    };

    private static string Addresses(string field) =>
        Parse(field) is { } list ? string.Join(", ", list.Select(it => it.Address)) : field;

    private static string Name(string field) => Parse(field) is [var first, ..] ? first.DisplayName : "";

    private static MailAddressCollection? Parse(string field)
    {
        var list = new MailAddressCollection();
        if (field.Length == 0)
        {
            return list;
        }

        try
        {
            list.Add(field);
            return list;
        }
        catch (FormatException)
        {
            return null; // Not an address list; it is shown as it came.
        }
    }
}
