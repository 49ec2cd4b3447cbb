using System.Text.Json.Nodes;
using CaveComm.Domain;

namespace CaveComm.Api.Admin;

/// <summary>Messages in words, for those who have to deal with a dead one.</summary>
internal static class MessageWords
{
    public const string Alarm = "alarm";

    /// <summary>What the work is.</summary>
    public static string About(string type) => type switch
    {
        Alarm => "Something about money does not fit; a person has to look.",
        "set-up-invoice" => "Sets the invoice up at the provider.",
        "send-invoice" => "Has the provider mail its invoice.",
        "void-invoice" => "Makes an invoice unpayable at the provider.",
        "check-invoice" => "Asks the provider how an invoice stands.",
        "payout-due" => "Sends the freelancer's money, if it is time.",
        "send-payout" => "Has the provider send the money of a payout.",
        "check-payout" => "Asks the provider how a payout stands.",
        "provider-event-stored" => "Works off what a provider told us.",
        "payment-attempt-failed" => "Records that the customer could not pay.",
        "mail-customer" => "Writes to the customer.",
        "mail-freelancer" => "Writes to the freelancer.",
        "check-payout-account" => "Asks the provider whether it pays out to a freelancer's account by now.",
        "ring-waiting-payouts" => "Has payouts go that waited for their destination.",
        "mail-account" => "Writes to somebody about the own account.",
        "mail-invitation" => "Sends an invitation.",
        "send-refund" => "Has the provider send money back to the customer.",
        "withdraw-refund" => "Has the provider take back the offer of a refund that nobody has claimed.",
        "check-refund" => "Asks the provider how a refund stands.",
        "reverse-payout" => "Takes money of a payout back, where the provider can.",
        "recurring-due" or "tend-recurring" => "Work that comes round: reconciliation, Stripe's events, files that nobody needs.",
        "reconcile-from" => "Goes on looking for what nobody has asked a provider about for long.",
        "read-stripe-events" => "Goes on reading Stripe's list of events.",
        "spread-erasure" => "Removes an erased customer from the views.",
        _ => type,
    };

    /// <summary>What to do about a dead one.</summary>
    public static string Advice(string type) => type switch
    {
        Alarm => "Look at the commission and at the provider's books, put right what is wrong, then discard the alarm and say what you did. Sending it again only raises it again.",
        "mail-customer" or "mail-freelancer" or "mail-account" or "mail-invitation" => "Mend the address or the mail server, then send it again. A letter whose time is over is discarded.",
        "set-up-invoice" or "send-invoice" or "void-invoice" or "send-payout" or "send-refund" or "withdraw-refund" or "reverse-payout" => "See why the provider refused, mend it there or in the settings, then send it again: the provider knows a repeat by its key.",
        _ => "Mend the cause, then send it again. What has been done by other means since is discarded.",
    };

    /// <summary>The stream whose story tells more; null when the body names none.</summary>
    public static string? Stream(JsonNode? body) =>
        body is JsonObject members && members["commission"] is JsonValue id && id.TryGetValue<string>(out var text) && Guid.TryParse(text, out var commission)
            ? StreamKey.Commission(commission)
            : null;

    public static string Of(MessageState state) => state.ToString().ToLowerInvariant();
}
