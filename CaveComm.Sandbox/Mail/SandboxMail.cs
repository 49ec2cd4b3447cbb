using System.Text.Json.Nodes;

namespace CaveComm.Sandbox.Mail;

/// <summary>A mail that one of the look-alikes sends on its own account, as Stripe mails its invoices. It goes through the sandbox's SMTP server.</summary>
/// <param name="MessageId">Without the angle brackets. The same mail sent again has the same, and the mailbox counts it as a copy.</param>
/// <param name="Html">Empty when there is only text.</param>
public sealed record SandboxMail(string MessageId, string From, string To, string Subject, string Text, string Html)
{
    internal JsonObject ToDocument() => new()
    {
        ["messageId"] = MessageId,
        ["from"] = From,
        ["to"] = To,
        ["subject"] = Subject,
        ["text"] = Text,
        ["html"] = Html,
    };

    internal static SandboxMail FromDocument(JsonObject document) => new(
        (string)document["messageId"]!,
        (string)document["from"]!,
        (string)document["to"]!,
        (string)document["subject"]!,
        (string)document["text"]!,
        (string)document["html"]!);
}
