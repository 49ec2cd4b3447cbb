using System.Globalization;
using System.Text.Json.Nodes;
using CaveComm.Api.Refunds;
using CaveComm.Domain;
using CaveComm.Domain.Commissions;
using CaveComm.Projections.Commissions;

namespace CaveComm.Api.Commissions;

public sealed record CustomerName(string Name);

/// <summary>One line of the inbox (spec: commissions.md, "JSON shapes").</summary>
public sealed record InboxLine(
    Guid RequestId,
    string Template,
    CustomerName Customer,
    string Status,
    Money Price,
    PaymentTerms PaymentTerms,
    string Provider,
    DateTimeOffset RequestedAt,
    DateTimeOffset UpdatedAt,
    bool Unread,
    bool PaymentSeen)
{
    /// <param name="readVersion">How far the freelancer has read; 0 for not at all.</param>
    public static InboxLine Of(InboxItem it, long readVersion) => new(
        StreamKey.CommissionId(it.Id),
        it.Template,
        new CustomerName(it.CustomerName),
        it.Status,
        it.State.Price,
        it.State.PaymentTerms,
        it.State.Provider,
        it.RequestedAt,
        it.UpdatedAt,
        it.Version > readVersion,
        it.State.IsPaymentSeen);
}

/// <param name="Status"><c>open</c>, <c>processing</c>, <c>paid</c>, <c>expired</c> or <c>void</c>.</param>
public sealed record InvoiceJson(string Provider, string Id, string Status, Money Amount, string PayUrl, DateTimeOffset? DueAt);

public sealed record PaymentJson(string Id, Money Amount, Money Received, DateTimeOffset At);

public sealed record FileJson(Guid FileId, string Name, long Size, string Sha256, string MediaType)
{
    public static FileJson Of(ProductFile it) => new(it.FileId, it.Name, it.Size, it.Sha256, it.MediaType);
}

/// <param name="Status"><c>open</c>, <c>won</c> or <c>lost</c>.</param>
public sealed record DisputeJson(string Id, string PaymentId, string Status, Money Amount, string Reason, DateTimeOffset? EvidenceDueAt, DateTimeOffset At);

public sealed record PayoutJson(string Provider, string Status, Money Amount, Money Fee, string? Id, string? Reason, DateTimeOffset At);

/// <summary>Everything about one commission, for its freelancer.</summary>
public sealed record RequestDetail(
    Guid RequestId,
    string Template,
    string Title,
    Customer Customer,
    string Status,
    Money Price,
    PaymentTerms PaymentTerms,
    string Provider,
    DateTimeOffset RequestedAt,
    DateTimeOffset UpdatedAt,
    bool Unread,
    JsonObject Answers,
    IReadOnlyList<string> References,
    InvoiceJson? Invoice,
    IReadOnlyList<PaymentJson> Payments,
    Money Received,
    Money Missing,
    IReadOnlyList<FileJson> Files,
    PayoutJson? Payout,
    Money Surplus,
    IReadOnlyList<RefundJson> Refunds,
    IReadOnlyList<DisputeJson> Disputes,
    IReadOnlyList<HistoryLine> History,
    long Version)
{
    public static RequestDetail Of(CommissionDetail it, long readVersion) => new(
        it.RequestId,
        it.Template!.Name ?? it.Title,
        it.Title,
        it.Customer,
        StatusText.Of(it.State.Status),
        it.State.Price,
        it.State.PaymentTerms,
        it.State.Provider,
        it.RequestedAt,
        it.UpdatedAt,
        it.Version > readVersion,
        AnswersJson(it),
        [],
        it.Invoice is { } invoice ? new InvoiceJson(invoice.Provider, invoice.Id, invoice.Status, invoice.Amount, invoice.PayUrl, invoice.DueAt) : null,
        [.. it.Payments.Select(p => new PaymentJson(p.Id, p.Amount, p.Received, p.At))],
        it.State.Received,
        it.State.Missing,
        [.. it.Files.Select(FileJson.Of)],
        it.Payout is { } payout ? new PayoutJson(payout.Provider, payout.Status, payout.Amount, payout.Fee, payout.Id, payout.Reason, payout.At) : null,
        it.State.Surplus,
        [.. it.Refunds.Select(RefundJson.Of)],
        [.. it.Disputes.Select(d => new DisputeJson(d.Id, d.PaymentId, d.Status, d.Amount, d.Reason, d.EvidenceDueAt, d.At))],
        it.History,
        it.Version);

    // Numbers leave as numbers, everything else as text.
    private static JsonObject AnswersJson(CommissionDetail it)
    {
        var answers = new JsonObject();
        foreach (var (id, answer) in it.Answers)
        {
            var isNumber = it.Template!.Questions.Any(q => q.Id == id && q.Kind == QuestionKind.Number);
            answers[id] = isNumber && decimal.TryParse(answer, NumberStyles.Number, CultureInfo.InvariantCulture, out var number) ? JsonValue.Create(number) : JsonValue.Create(answer);
        }

        return answers;
    }
}

/// <summary>The short answer to something done.</summary>
public sealed record RequestStatus(Guid RequestId, string Status)
{
    public static RequestStatus Of(Guid id, Commission state) => new(id, StatusText.Of(state.Status));
}
