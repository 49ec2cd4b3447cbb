using CaveComm.Api.Pages;
using CaveComm.Api.Papers.Pdf;

namespace CaveComm.Api.Papers;

/// <summary>Sets a credit: what of an invoice went back or is not asked for any more, with the tax that was in it.</summary>
internal static class CreditSheet
{
    public static byte[] Render(CreditPaper it)
    {
        var sheet = new Sheet($"Credit {it.Number}", it.Seller.LegalName, it.At, InvoiceSheet.Foot(it.Seller));
        InvoiceSheet.Head(sheet, "Credit", it.Seller, it.CameBack ? ("NOT PAID OUT", PdfColour.Alarm) : null);
        InvoiceSheet.Parties(sheet, it.Customer, facts =>
        {
            facts("Number", it.Number);
            facts("Date", PaperWords.Day(it.At));
            facts("For invoice", it.Invoice);
            facts(Words.ProviderName(it.Provider), it.ProviderNumber);
            facts("Commission", it.RequestId.ToString("D"));
        });

        var what = (it.IsRefund, it.Reason) switch
        {
            (true, { } reason) => $"Refund: {reason}",
            (true, null) => "Refund",
            _ => "Not asked for any more",
        };
        sheet.HeaderRow(InvoiceSheet.Wide("Description"), InvoiceSheet.Amount("Amount"));
        sheet.Row(InvoiceSheet.Wide($"{it.Title}\n{what}"), InvoiceSheet.Amount($"-{it.Amount}"));
        sheet.Rule();
        InvoiceSheet.Tax(sheet, it.Amount, it.Seller, "Total credit");
        sheet.Y += 26;
        sheet.Write(it switch
        {
            { CameBack: true } => "This refund did not arrive: the money came back, and the credit counts for nothing. You still have a claim to it.",
            { IsRefund: true } => $"The sum above was sent back to you by the way that you paid invoice {it.Invoice}.",
            _ => $"Invoice {it.Invoice} asks for so much less.",
        });
        return sheet.Save();
    }
}
