using CaveComm.Api.Papers;
using CaveComm.Domain;
using CaveComm.Domain.Commissions;
using CaveComm.Domain.Payments;
using CaveComm.Projections.Commissions;
using CaveComm.Tests.Support;
using Shouldly;

namespace CaveComm.Tests.Papers;

public class SheetTests
{
    private static readonly InvoicePaper Invoice = new(
        "ADA-0001", InvoicePaperStanding.Open, Some.Noon, Some.Noon.AddDays(14), Some.Billing, Some.Buyer, "A portrait", Some.Price, Some.Price, Some.Euro(0),
        PaymentProviders.Stripe, "CAVE-0001", Some.CommissionId, new Uri("https://pay.example/invoice?token=a(b)c"));

    private static readonly ReceiptPaper Receipt = new(
        ["ADA-0001"], Some.Billing, Some.Buyer, "A portrait", Some.Price, Some.Euro(0), [new PaymentDetail("pi_1", Some.Price, Some.Satoshi(200_000), Some.Noon, false)],
        [new ReceiptRefund("ADA-0002", "Refund: The colours were wrong.", Some.Euro(20_00), Some.Noon.AddDays(1))], Some.Price, Some.Euro(100_00), PaymentProviders.BtcPay,
        Some.CommissionId, Some.Noon.AddDays(1));

    [Fact]
    public void An_invoice_names_everything_that_one_has_to()
    {
        var pdf = PdfReading.Of(InvoiceSheet.Render(Invoice));
        pdf.Title.ShouldBe("Invoice ADA-0001");
        pdf.PageCount.ShouldBe(1);
        string[] words =
        [
            "ADA-0001", "2026-03-01", "2026-03-15 12:00:00 UTC", "Ada Lovelace, Engines", "London SW1Y 4JH", "GB123456789", "Grace Hopper", "grace@example.com", "A portrait",
            "CAVE-0001", "Net 100.00 EUR", "Tax 20 % 20.00 EUR", "Total 120.00 EUR", "How to pay",
        ];
        words.ShouldAllBe(it => pdf.Text.Contains(it, StringComparison.Ordinal), pdf.Text);
        pdf.Links.ShouldBe(["https://pay.example/invoice?token=a(b)c"]);
    }

    [Fact]
    public void A_credit_names_its_invoice_and_the_tax_that_was_in_it()
    {
        var credit = new CreditPaper(
            "ADA-0002", Some.Noon, Some.Billing, Some.Buyer, "ADA-0001", "A portrait", "The colours were wrong.", Some.Euro(60_00), IsRefund: true, CameBack: false,
            PaymentProviders.Stripe, "re_1", Some.CommissionId);
        var pdf = PdfReading.Of(CreditSheet.Render(credit));
        pdf.Title.ShouldBe("Credit ADA-0002");
        string[] words =
        [
            "ADA-0002", "For invoice", "ADA-0001", "Ada Lovelace, Engines", "Grace Hopper", "A portrait", "Refund: The colours were wrong.", "re_1", "-60.00 EUR", "Net 50.00 EUR",
            "Tax 20 % 10.00 EUR", "Total credit 60.00 EUR",
        ];
        words.ShouldAllBe(it => pdf.Text.Contains(it, StringComparison.Ordinal), pdf.Text);
        pdf.Text.ShouldNotContain("NOT PAID OUT");
        CreditSheet.Render(credit).ShouldBe(CreditSheet.Render(credit with { }));

        PdfReading.Of(CreditSheet.Render(credit with { CameBack = true })).Text.ShouldContain("NOT PAID OUT");
        PdfReading.Of(CreditSheet.Render(credit with { IsRefund = false, Reason = null })).Text.ShouldContain("Not asked for any more");
    }

    [Fact]
    public void A_wallet_is_shown_its_own_code()
    {
        const string Wallet = "bitcoin:bc1qexample?amount=0.00071234";
        PdfReading.Of(InvoiceSheet.Render(Invoice)).Text.ShouldNotContain("wallet");
        var pdf = PdfReading.Of(InvoiceSheet.Render(Invoice with { WalletLink = Wallet }));
        pdf.Text.ShouldContain("Straight from a bitcoin wallet");
        pdf.Text.Replace(" ", "", StringComparison.Ordinal).ShouldContain(Wallet);
        pdf.PageCount.ShouldBe(1);
        PdfReading.Of(InvoiceSheet.Render(Invoice with { WalletLink = Wallet + new string('x', 600) })).Text.ShouldNotContain("wallet");
    }

    [Fact]
    public void The_same_paper_is_the_same_bytes()
    {
        InvoiceSheet.Render(Invoice).ShouldBe(InvoiceSheet.Render(Invoice with { }));
        ReceiptSheet.Render(Receipt).ShouldBe(ReceiptSheet.Render(Receipt with { }));
        InvoiceSheet.Render(Invoice).ShouldNotBe(InvoiceSheet.Render(Invoice with { Title = "A mural" }));
    }

    [Theory]
    [InlineData(InvoicePaperStanding.Processing, "PAID, NOT CONFIRMED YET")]
    [InlineData(InvoicePaperStanding.Paid, "PAID")]
    [InlineData(InvoicePaperStanding.Expired, "EXPIRED")]
    [InlineData(InvoicePaperStanding.Cancelled, "CANCELLED")]
    public void What_cannot_be_paid_says_so_and_shows_no_way_to_pay(InvoicePaperStanding standing, string stamp)
    {
        var pdf = PdfReading.Of(InvoiceSheet.Render(Invoice with { Standing = standing, PayUrl = null }));
        pdf.Text.ShouldContain(stamp);
        pdf.Text.ShouldContain("ADA-0001");
        pdf.Text.ShouldNotContain("How to pay");
        pdf.Links.ShouldBeEmpty();
    }

    [Fact]
    public void A_reverse_charge_stands_in_place_of_a_tax_line()
    {
        const string Note = "Reverse charge: the customer owes the tax.";
        var pdf = PdfReading.Of(InvoiceSheet.Render(Invoice with { Seller = Some.Billing with { TaxRateBasisPoints = null, ReverseChargeNote = Note } }));
        pdf.Text.ShouldContain(Note);
        pdf.Text.ShouldNotContain("Net ");
    }

    [Fact]
    public void A_receipt_names_payments_and_what_went_back()
    {
        var text = PdfReading.Of(ReceiptSheet.Render(Receipt)).Text;
        string[] words =
            ["ADA-0001", "pi_1", "0.00200000 BTC", "ADA-0002", "The colours were wrong.", "-20.00 EUR", "Net 83.33 EUR", "Tax 20 % 16.67 EUR", "What is left 100.00 EUR"];
        words.ShouldAllBe(it => text.Contains(it, StringComparison.Ordinal), text);
    }

    [Fact]
    public void No_text_that_somebody_typed_breaks_a_paper()
    {
        var hostile = "(\\) Tj ET endstream endobj 1 0 obj <FEFF> " + new string('W', 3_000) + "\u0000\u202E\uD800\n\n\n" + string.Concat(Enumerable.Repeat("数😀 ", 200));
        var seller = Some.Billing with { LegalName = hostile, Address = [.. Enumerable.Repeat(hostile, 6)], TaxId = hostile, TaxRateBasisPoints = null, ReverseChargeNote = hostile };
        var customer = new Customer(Guid.Empty, hostile, hostile);
        var invoice = PdfReading.Of(InvoiceSheet.Render(Invoice with { Seller = seller, Customer = customer, Title = hostile }));
        invoice.PageCount.ShouldBeInRange(1, 6);
        invoice.Text.ShouldContain("ADA-0001");
        invoice.Text.ShouldContain("120.00 EUR");
        PdfReading.Of(ReceiptSheet.Render(Receipt with { Seller = seller, Customer = customer, Title = hostile })).Text.ShouldContain("-20.00 EUR");
    }

    [Fact]
    public void A_link_that_is_too_long_for_a_code_is_still_a_link()
    {
        var url = new Uri("https://pay.example/" + new string('x', 2_900));
        PdfReading.Of(InvoiceSheet.Render(Invoice with { PayUrl = url })).Links.ShouldBe([url.AbsoluteUri]);
    }

    [Fact]
    public void A_record_tells_the_whole_story()
    {
        var pdf = PdfReading.Of(EvidenceSheet.Render(Evidence("No resale.")));
        string[] words =
        [
            "No resale.", "The customer accepted these terms", "What shall I draw?", "A cat", "portrait.png", "SHA-256 " + new string('a', 64), "First download 2026-03-02",
            "Payment 120.00 EUR", "dp_1", "The work is ready, with the download link.", "asked for",
        ];
        words.ShouldAllBe(it => pdf.Text.Contains(it, StringComparison.Ordinal), pdf.Text);
    }

    [Fact]
    public void Long_terms_go_on_over_pages()
    {
        var pdf = PdfReading.Of(EvidenceSheet.Render(Evidence(string.Join(' ', Enumerable.Range(1, 4_000).Select(n => $"clause{n}")))));
        pdf.PageCount.ShouldBeGreaterThan(5);
        pdf.Text.ShouldContain("clause4000");
        pdf.Text.ShouldContain($"Page {pdf.PageCount} of {pdf.PageCount}");
    }

    private static EvidencePaper Evidence(string terms)
    {
        CommissionEvent[] life =
            [Some.Requested with { Template = Some.UpFrontWork with { TermsOfService = terms } }, Some.Accepted, Some.Invoiced, Some.Paid, Some.Uploaded, Some.Delivered, Some.DisputeOpened];
        var detail = new CommissionDetailProjection().Fold(StreamKey.Commission(Some.CommissionId), life).Last()!;
        return new EvidencePaper(
            detail,
            Some.Billing,
            AcceptedTerms: true,
            [("ADA-0001", "120.00 EUR, paid")],
            [new EvidenceProduct(1, Some.Noon, Some.Noon, Some.Noon.AddDays(1), Some.Files[0].FileId, Some.Files)],
            [new EvidenceLetter(Some.Noon, PaperWords.Letter(CaveComm.Api.Notifications.CustomerLetter.Product))]);
    }
}
