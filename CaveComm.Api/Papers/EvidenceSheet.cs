using CaveComm.Api.Pages;
using CaveComm.Api.Papers.Pdf;
using CaveComm.Projections.Commissions;

namespace CaveComm.Api.Papers;

/// <summary>Sets the record of a commission, for whoever decides a dispute.</summary>
internal static class EvidenceSheet
{
    public static byte[] Render(EvidencePaper it)
    {
        var detail = it.Detail;
        var sheet = new Sheet($"Record of commission {detail.RequestId:D}", it.Seller.LegalName, detail.UpdatedAt, $"Commission {detail.RequestId:D} \u00B7 entry {detail.Version}");
        InvoiceSheet.Head(sheet, "Record", it.Seller, null);
        InvoiceSheet.Parties(sheet, detail.Customer, facts =>
        {
            facts("Commission", detail.RequestId.ToString("D"));
            facts("Asked", PaperWords.Time(detail.RequestedAt));
            facts("Last entry", PaperWords.Time(detail.UpdatedAt));
            facts("Standing", StatusText.Of(detail.State.Status));
        });
        sheet.Note("What was agreed, paid and delivered, as it was recorded when it happened. Entries are only ever added. All times are UTC.");
        Agreement(sheet, it);
        Delivery(sheet, it);
        Money(sheet, it);
        sheet.Heading("Letters to the customer");
        if (it.Letters is [])
        {
            sheet.Write("None.");
        }

        foreach (var letter in it.Letters)
        {
            sheet.Row(PdfFont.Regular, 9, At(PaperWords.Time(letter.At)), What(letter.Text));
        }

        sheet.Heading("History");
        foreach (var line in detail.History)
        {
            sheet.Row(PdfFont.Regular, 9, At(PaperWords.Time(line.At)), What(line.Text));
        }

        return sheet.Save();
    }

    private static void Agreement(Sheet sheet, EvidencePaper it)
    {
        var (detail, template) = (it.Detail, it.Detail.Template);
        sheet.Heading("What was agreed");
        sheet.Fact("Work", detail.Title);
        sheet.Fact("Price", detail.State.Price.ToString());
        sheet.Fact("Terms", $"{Words.Terms(detail.State.PaymentTerms)}, {Words.ProviderName(detail.State.Provider)}");
        sheet.Fact("On offer as", template?.Name is { } name ? $"{name}, version {template.Version}" : "agreed elsewhere");
        foreach (var question in template?.Questions ?? [])
        {
            sheet.Y += 4;
            sheet.Write(question.Label, PdfFont.Bold, Sheet.Body, PdfColour.Ink, Sheet.Left, Sheet.Across);
            sheet.Write(detail.Answers.TryGetValue(question.Id, out var answer) ? answer : "No answer.");
        }

        if (!string.IsNullOrWhiteSpace(template?.TermsOfService))
        {
            sheet.Y += 8;
            sheet.Write(
                it.AcceptedTerms ? $"The customer accepted these terms with the request, {PaperWords.Time(detail.RequestedAt)}:" : "Terms on offer; there is no record that the customer accepted them:",
                PdfFont.Bold, Sheet.Body, PdfColour.Ink, Sheet.Left, Sheet.Across);
            sheet.Write(template.TermsOfService, PdfFont.Regular, 9, PdfColour.Ink, Sheet.Left + 12, Sheet.Across - 12);
        }
    }

    private static void Delivery(Sheet sheet, EvidencePaper it)
    {
        sheet.Heading("What was delivered");
        if (it.Products is [])
        {
            sheet.Write("Nothing yet.");
        }

        foreach (var product in it.Products)
        {
            sheet.Need(90);
            sheet.Write($"Version {product.Version}", PdfFont.Bold, Sheet.Body, PdfColour.Ink, Sheet.Left, Sheet.Across);
            sheet.Fact("Uploaded", PaperWords.Time(product.UploadedAt));
            sheet.Fact("Delivered", product.DeliveredAt is { } delivered ? PaperWords.Time(delivered) : "not yet");
            sheet.Fact("First download", product.DownloadedAt is { } fetched
                ? $"{PaperWords.Time(fetched)}: {product.Files.FirstOrDefault(file => file.FileId == product.DownloadedFile)?.Name ?? "a file"}, by the customer\u2019s own link"
                : "none recorded");
            foreach (var file in product.Files)
            {
                sheet.Y += 3;
                sheet.Write($"{file.Name}, {Numbers.Of(file.Size)} bytes", PdfFont.Regular, Sheet.Body, PdfColour.Ink, Sheet.Left + 12, Sheet.Across - 12, 3);
                sheet.Write($"SHA-256 {file.Sha256}", PdfFont.Regular, Sheet.Small, PdfColour.Quiet, Sheet.Left + 12, Sheet.Across - 12);
            }

            sheet.Y += 8;
        }
    }

    private static void Money(Sheet sheet, EvidencePaper it)
    {
        var detail = it.Detail;
        sheet.Heading("Money");
        foreach (var (number, text) in it.Invoices)
        {
            sheet.Fact($"Invoice {number}", text, labelWidth: 150, size: 9);
        }

        foreach (var payment in detail.Payments)
        {
            var coin = payment.Received == payment.Amount ? "" : $" (as {payment.Received})";
            sheet.Fact("Payment", $"{payment.Amount}{coin}{(payment.Late ? ", late" : "")}, {PaperWords.Time(payment.At)}, {payment.Id}", labelWidth: 150, size: 9);
        }

        foreach (var refund in detail.Refunds)
        {
            sheet.Fact("Refund", $"{refund.Amount}, {refund.Status}, {PaperWords.Time(refund.At)}{(refund.Id is null ? "" : $", {refund.Id}")}{(refund.Reason is null ? "" : $": {refund.Reason}")}", labelWidth: 150, size: 9);
        }

        foreach (var dispute in detail.Disputes)
        {
            sheet.Fact("Dispute", $"{dispute.Amount}, {dispute.Status}, {PaperWords.Time(dispute.At)}, {dispute.Id}: {dispute.Reason}", labelWidth: 150, size: 9);
        }

        sheet.Fact("Received", $"{detail.State.Received} of {detail.State.Price}", labelWidth: 150, size: 9);
    }

    private static PaperColumn At(string text) => new(text, Sheet.Left, 116);

    private static PaperColumn What(string text) => new(text, Sheet.Left + 124, Sheet.Across - 124);
}
