using CaveComm.Api.Pages;
using CaveComm.Api.Papers.Pdf;

namespace CaveComm.Api.Papers;

/// <summary>Sets a receipt: what came in, what went back, what tax is in the rest.</summary>
internal static class ReceiptSheet
{
    public static byte[] Render(ReceiptPaper it)
    {
        var numbers = string.Join(", ", it.Invoices);
        var sheet = new Sheet($"Receipt for {numbers}", it.Seller.LegalName, it.At, InvoiceSheet.Foot(it.Seller));
        InvoiceSheet.Head(sheet, "Receipt", it.Seller, null);
        InvoiceSheet.Parties(sheet, it.Customer, facts =>
        {
            facts(it.Invoices is [_] ? "Invoice" : "Invoices", numbers);
            facts("Paid on", PaperWords.Day(it.Payments.Max(payment => payment.At)));
            facts("Commission", it.RequestId.ToString("D"));
        });

        sheet.HeaderRow(InvoiceSheet.Wide("Work"), InvoiceSheet.Amount("Price"));
        sheet.Row(InvoiceSheet.Wide(it.Title), InvoiceSheet.Amount(it.Price.ToString()));
        if (it.Waived.IsPositive)
        {
            sheet.Row(InvoiceSheet.Wide("Not asked for any more"), InvoiceSheet.Amount($"-{it.Waived}"));
        }

        sheet.Y += 10;
        sheet.HeaderRow(InvoiceSheet.Wide("Payments"), InvoiceSheet.Amount("Received"));
        foreach (var payment in it.Payments)
        {
            var coin = payment.Received == payment.Amount ? "" : $", as {payment.Received}";
            sheet.Row(PdfFont.Regular, 9, InvoiceSheet.Wide($"{PaperWords.Time(payment.At)}, {Words.ProviderName(it.Provider)}{coin}\n{payment.Id}"), InvoiceSheet.Amount(payment.Amount.ToString()));
        }

        if (it.Refunds is not [])
        {
            sheet.Y += 10;
            sheet.HeaderRow(InvoiceSheet.Wide("Sent back"), InvoiceSheet.Amount("Returned"));
            foreach (var refund in it.Refunds)
            {
                sheet.Row(
                    InvoiceSheet.Wide($"{(refund.Number is null ? "" : $"{refund.Number}, ")}{PaperWords.Time(refund.At)}\n{refund.Text}"), InvoiceSheet.Amount($"-{refund.Amount}"));
            }
        }

        sheet.Rule();
        if (it.Refunds is not [])
        {
            sheet.Sum("Received", it.Received.ToString());
            sheet.Sum("Returned", (it.Received - it.Left).ToString());
        }

        InvoiceSheet.Tax(sheet, it.Left, it.Seller, it.Refunds is [] ? "Received" : "What is left");
        sheet.Y += 26;
        sheet.Write(it.Left.IsZero ? "Everything that was paid has gone back." : "Received with thanks.");
        return sheet.Save();
    }
}
