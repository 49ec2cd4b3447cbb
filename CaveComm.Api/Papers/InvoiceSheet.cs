using CaveComm.Api.Pages;
using CaveComm.Api.Papers.Pdf;
using CaveComm.Domain;
using CaveComm.Domain.Commissions;
using CaveComm.Domain.Freelancers;
using CaveComm.Domain.Papers;

namespace CaveComm.Api.Papers;

/// <summary>Sets an invoice or a receipt. A pure function of the model: the same paper is the same bytes.</summary>
internal static class InvoiceSheet
{
    private const double AmountWidth = 110;

    // Wide enough for a commission's id beside its label.
    private const double SecondLeft = 310;

    public static byte[] Render(InvoicePaper it)
    {
        var sheet = new Sheet($"Invoice {it.Number}", it.Seller.LegalName, it.IssuedAt, Foot(it.Seller));
        Head(sheet, "Invoice", it.Seller, it.Standing switch
        {
            InvoicePaperStanding.Open => null,
            InvoicePaperStanding.Processing => ("PAID, NOT CONFIRMED YET", PdfColour.Accent),
            InvoicePaperStanding.Paid => ("PAID", PdfColour.Accent),
            InvoicePaperStanding.Expired => ("EXPIRED", PdfColour.Alarm),
            InvoicePaperStanding.Cancelled => ("CANCELLED", PdfColour.Alarm),
        });
        Parties(sheet, it.Customer, facts =>
        {
            facts("Number", it.Number);
            facts("Date", PaperWords.Day(it.IssuedAt));
            if (it.DueAt is { } due && it.Standing == InvoicePaperStanding.Open)
            {
                facts("Pay before", PaperWords.Time(due));
            }

            facts(Words.ProviderName(it.Provider), it.ProviderNumber);
            facts("Commission", it.RequestId.ToString("D"));
        });

        sheet.HeaderRow(Wide("Description"), Amount("Amount"));
        sheet.Row(Wide(it.Amount == it.Price ? it.Title : $"{it.Title}\nWhat was missing of the price of {it.Price}."), Amount(it.Amount.ToString()));
        sheet.Rule();
        Tax(sheet, it.Amount, it.Seller, "Total");
        if (it.Paid.IsPositive && it.Standing != InvoicePaperStanding.Paid)
        {
            sheet.Sum("Paid so far", it.Paid.ToString());
        }

        Ending(sheet, it);
        return sheet.Save();
    }

    /// <summary>Name, address and what kind of paper it is.</summary>
    internal static void Head(Sheet sheet, string kind, BillingDetails seller, (string Text, PdfColour Colour)? stamp)
    {
        sheet.Page.Box(0, 0, PdfPage.Width, 8, PdfColour.Accent);
        sheet.Page.Text(Sheet.Left, sheet.Y + 22, PdfText.Encode(kind), PdfFont.Bold, 26, PdfColour.Ink);
        if (stamp is { } mark)
        {
            sheet.Page.Text(Sheet.Left, sheet.Y + 44, PdfText.Encode(mark.Text), PdfFont.Bold, 13, mark.Colour);
        }

        sheet.Write(seller.LegalName, PdfFont.Bold, Sheet.Body, PdfColour.Ink, SecondLeft, Sheet.Right - SecondLeft, 2);
        foreach (var line in seller.Address)
        {
            sheet.Write(line, PdfFont.Regular, Sheet.Body, PdfColour.Ink, SecondLeft, Sheet.Right - SecondLeft, 2);
        }

        if (seller.TaxId is { } taxId)
        {
            sheet.Write($"Tax number {taxId}", PdfFont.Regular, Sheet.Body, PdfColour.Quiet, SecondLeft, Sheet.Right - SecondLeft, 1);
        }

        sheet.Y = Math.Max(sheet.Y, 118) + 22;
    }

    /// <summary>The customer at the left, what names the paper at the right.</summary>
    internal static void Parties(Sheet sheet, Customer customer, Action<Action<string, string>> facts)
    {
        var top = sheet.Y;
        sheet.Write("For", PdfFont.Regular, Sheet.Small, PdfColour.Quiet, Sheet.Left, 200);
        sheet.Write(customer.Name, PdfFont.Bold, Sheet.Body, PdfColour.Ink, Sheet.Left, 240, 3);
        if (!customer.WasErased())
        {
            sheet.Write(customer.Email, PdfFont.Regular, Sheet.Body, PdfColour.Ink, Sheet.Left, 240, 2);
        }

        var below = sheet.Y;
        sheet.Y = top;
        facts((label, value) => sheet.Fact(label, value, SecondLeft, 60, Sheet.Right, Sheet.Small));
        sheet.Y = Math.Max(sheet.Y, below) + 26;
    }

    internal static string Foot(BillingDetails seller) => string.Join(" \u00B7 ", [seller.LegalName, .. seller.TaxId is { } taxId ? [taxId] : (string[])[]]);

    internal static PaperColumn Wide(string text) => new(text, Sheet.Left + 6, Sheet.Across - AmountWidth - 24);

    internal static PaperColumn Amount(string text) => new(text, Sheet.Right - AmountWidth - 6, AmountWidth, AtRight: true);

    /// <summary>The gross sum with the tax that it contains, or why there is none.</summary>
    internal static void Tax(Sheet sheet, Money gross, BillingDetails seller, string total)
    {
        if (seller.TaxRateBasisPoints is { } rate)
        {
            var split = TaxSplit.Of(gross, rate);
            sheet.Sum("Net", split.Net.ToString());
            sheet.Sum($"Tax {PaperWords.Rate(rate)}", split.Tax.ToString());
        }

        sheet.Sum(total, gross.ToString(), isTotal: true);
        if (seller.ReverseChargeNote is { } note)
        {
            sheet.Y += 6;
            sheet.Write(note, PdfFont.Regular, Sheet.Body, PdfColour.Ink, Sheet.Left + 230, Sheet.Across - 236);
        }
    }

    private static void Ending(Sheet sheet, InvoicePaper it)
    {
        sheet.Y += 30;
        switch (it.Standing)
        {
            case InvoicePaperStanding.Open when it.PayUrl is { } url:
                HowToPay(sheet, it, url);
                break;
            case InvoicePaperStanding.Processing:
                sheet.Write("A payment of this invoice was seen and waits for its confirmation. Please do not pay it again.");
                break;
            case InvoicePaperStanding.Paid:
                sheet.Write("This invoice is paid. Thank you.");
                break;
            case InvoicePaperStanding.Expired:
                sheet.Write("This invoice expired before it was paid in full. Please do not pay it any more.");
                break;
            case InvoicePaperStanding.Cancelled:
                sheet.Write("This invoice was cancelled. Please do not pay it any more.");
                break;
        }
    }

    private static void HowToPay(Sheet sheet, InvoicePaper it, Uri url)
    {
        const double Code = 124;
        sheet.Need(Code + 20);
        var hasCode = url.AbsoluteUri.Length <= QrCode.MostCharacters;
        var left = hasCode ? Sheet.Left + Code + 16 : Sheet.Left;
        var top = sheet.Y;
        if (hasCode)
        {
            QrCode.Draw(sheet.Page, url.AbsoluteUri, Sheet.Left - 8, top - 8, Code + 8);
        }

        sheet.Y = top + 8;
        sheet.Write("How to pay", PdfFont.Bold, 12, PdfColour.Accent, left, Sheet.Right - left);
        sheet.Y += 4;
        sheet.Write(
            it.Provider == Domain.Payments.PaymentProviders.BtcPay
                ? "With bitcoin: scan the code, or open the link. The page shows the address, the Lightning invoice and the sum at today\u2019s rate."
                : "Scan the code, or open the link, and choose how you would like to pay.",
            PdfFont.Regular, Sheet.Body, PdfColour.Ink, left, Sheet.Right - left);
        sheet.Y += 4;
        var linkTop = sheet.Y;
        sheet.Write(url.AbsoluteUri, PdfFont.Regular, Sheet.Small, PdfColour.Accent, left, Sheet.Right - left, 6);
        sheet.Page.Links.Add((left, linkTop, Sheet.Right, sheet.Y, url));
        sheet.Y = Math.Max(sheet.Y, top + Code);
        if (it.WalletLink is { Length: <= QrCode.MostCharacters } wallet)
        {
            ForWallets(sheet, wallet, Code);
        }
    }

    private static void ForWallets(Sheet sheet, string wallet, double size)
    {
        sheet.Y += 18;
        sheet.Need(size + 20);
        var (top, left) = (sheet.Y, Sheet.Left + size + 16);
        QrCode.Draw(sheet.Page, wallet, Sheet.Left - 8, top - 8, size + 8);
        sheet.Y = top + 8;
        sheet.Write("Straight from a bitcoin wallet", PdfFont.Bold, 12, PdfColour.Accent, left, Sheet.Right - left);
        sheet.Y += 4;
        sheet.Write("This code holds the address and the sum that were due when this paper was made. Pay before the invoice expires.", PdfFont.Regular, Sheet.Body, PdfColour.Ink, left, Sheet.Right - left);
        sheet.Y += 4;
        sheet.Write(wallet, PdfFont.Regular, Sheet.Small, PdfColour.Quiet, left, Sheet.Right - left, 6);
        sheet.Y = Math.Max(sheet.Y, top + size);
    }
}
