using System.Net;
using System.Text;
using System.Text.RegularExpressions;
using CaveComm.Api;
using CaveComm.Api.Notifications;
using CaveComm.Domain;
using CaveComm.Domain.Commissions;
using CaveComm.Domain.Freelancers;
using CaveComm.Domain.Notifications;
using CaveComm.Projections.Commissions;
using CaveComm.Tests.Support;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.Extensions.Options;
using Shouldly;

namespace CaveComm.Tests.Notifications;

public partial class LettersTests
{
    private static readonly Links Links = new(new EphemeralDataProtectionProvider(), Options.Create(new CaveCommOptions()), TimeProvider.System);

    private static readonly Dictionary<string, string> Hostile = new()
    {
        ["script"] = "<script>alert('1')</script><img src=x onerror=alert(1)>",
        ["attribute"] = "\" onmouseover=\"alert(1)\" href=\"javascript:alert(1)",
        ["entity"] = "&lt;b&gt; &amp; &#60;i&#62;",
        ["header"] = "Grace\r\nBcc: everybody@example.com\r\n\r\nBuy now",
        ["line separators"] = "Grace\u2028Bcc: everybody@example.com\u2029\u0085Buy now",
        ["control"] = "\u001b[31mred\u0007\0",
        ["long"] = new string('x', 10_000),
        ["emoji"] = string.Concat(Enumerable.Repeat("\U0001F63A", 5_000)),
        ["emoji, odd"] = "x" + string.Concat(Enumerable.Repeat("\U0001F63A", 5_000)),
        ["right to left"] = "\u202egpj.exe \u0645\u0631\u062d\u0628\u0627",
    };

    public static TheoryData<string, CustomerLetter> ToCustomers =>
        [.. from text in Hostile.Keys from letter in Enum.GetValues<CustomerLetter>() select new TheoryDataRow<string, CustomerLetter>(text, letter)];

    public static TheoryData<string, FreelancerLetter> ToFreelancers =>
        [.. from text in Hostile.Keys from letter in Enum.GetValues<FreelancerLetter>() select new TheoryDataRow<string, FreelancerLetter>(text, letter)];

    [Theory]
    [MemberData(nameof(ToCustomers))]
    public void No_text_breaks_out_of_a_letter_to_a_customer(string text, CustomerLetter letter) =>
        IsHarmless(CustomerMail(letter, Hostile[text]), CustomerMail(letter, "plain"));

    [Theory]
    [MemberData(nameof(ToFreelancers))]
    public void No_text_breaks_out_of_a_letter_to_a_freelancer(string text, FreelancerLetter letter) =>
        IsHarmless(FreelancerMail(letter, Hostile[text]), FreelancerMail(letter, "plain"));

    [Fact]
    public void A_hostile_text_is_shown_as_it_is() =>
        WebUtility.HtmlDecode(FreelancerMail(FreelancerLetter.NewRequest, Hostile["script"]).Html).ShouldContain(Hostile["script"]);

    [Fact]
    public void Words_of_others_are_marked_line_by_line() =>
        CustomerMail(CustomerLetter.Declined, "No.\r\nDownload:\nhttps://evil.example").Text.ShouldContain("\n> No.\n> Download:\n> https://evil.example\n");

    [Fact]
    public void A_blank_reason_is_left_out() => CustomerMail(CustomerLetter.Declined, " \t ").Text.ShouldNotContain("writes:");

    [Fact]
    public void A_line_break_in_a_name_begins_no_line_of_ours() =>
        FreelancerMail(FreelancerLetter.NewRequest, "Grace\n\nOpen the commission:\nhttps://evil.example").Text.Split('\n').ShouldNotContain("https://evil.example");

    [Fact]
    public void A_subject_is_cut_between_characters()
    {
        foreach (var n in Enumerable.Range(140, 20))
        {
            var subject = new Letter(new string('x', n) + "\U0001F63A\U0001F63A\U0001F63A", []).To("id", "ada@example.com", null).Subject;
            subject.Length.ShouldBeLessThanOrEqualTo(150);
            subject.EnumerateRunes().ShouldNotContain(Rune.ReplacementChar);
        }
    }

    [Fact]
    public void A_short_subject_stays_as_it_is() => new Letter("Paid", []).To("id", "ada@example.com", "Ada").ShouldSatisfyAllConditions(
        mail => mail.Subject.ShouldBe("Paid"), mail => mail.To.ShouldBe("ada@example.com"), mail => mail.ToName.ShouldBe("Ada"), mail => mail.MessageId.ShouldBe("id"));

    [Theory]
    [InlineData(CustomerLetter.RequestReceived, "/customer/requests/")]
    [InlineData(CustomerLetter.WorkBegins, "/customer/requests/")]
    [InlineData(CustomerLetter.Invoice, Some.PayUrl)]
    [InlineData(CustomerLetter.Product, "/downloads/")]
    [InlineData(CustomerLetter.FreshLink, "/downloads/")]
    public void A_letter_leads_to_where_its_reader_can_act(CustomerLetter letter, string address)
    {
        var mail = CustomerMail(letter, "plain");
        mail.Text.ShouldContain(address);
        mail.Html.ShouldContain(address);
    }

    [Fact]
    public void A_refused_invoice_is_told_in_the_words_of_the_provider() =>
        FreelancerMail(FreelancerLetter.InvoiceRefused, "below the minimum").Text.ShouldContain("> Stripe refused to set the invoice up: below the minimum");

    [Fact]
    public void A_refused_payout_is_told_in_the_words_of_the_provider() =>
        FreelancerMail(FreelancerLetter.PayoutRefused, "account closed").Text.ShouldContain("> account closed");

    [Fact]
    public void Money_for_ended_work_does_not_call_for_work()
    {
        var ended = Detail([Some.Requested, Some.Accepted, Some.Invoiced, Some.Withdrawn, Some.Paid]);
        var freelancer = GivenFreelancer.State(Some.Registered);
        Mail(FreelancerLetters.Compose(FreelancerLetter.PaymentReceived, ended, freelancer, Links)).Text.ShouldNotContain("begin the work");
        var going = Detail([Some.Requested, Some.Accepted, Some.Invoiced, Some.Paid]);
        Mail(FreelancerLetters.Compose(FreelancerLetter.PaymentReceived, going, freelancer, Links)).Text.ShouldContain("begin the work");
    }

    private static void IsHarmless(Mail mail, Mail plain)
    {
        foreach (var header in new[] { mail.Subject, mail.ToName! })
        {
            header.ShouldNotContain(c => char.IsControl(c) || c == '\u2028' || c == '\u2029');
            header.Length.ShouldBeLessThanOrEqualTo(150);
        }

        mail.Subject.ShouldNotBeEmpty();
        mail.MessageId.ShouldBe(plain.MessageId);

        // The same tags with the same attributes: the text added none, and ended none.
        Tags(mail.Html).ShouldBe(Tags(plain.Html));
        foreach (var part in new[] { mail.Subject, mail.ToName!, mail.Text, mail.Html })
        {
            Should.NotThrow(() => new UTF8Encoding(false, throwOnInvalidBytes: true).GetByteCount(part));
        }

        // No line of the text stands as ours that the plain letter does not have, but for those that hold the text itself.
        mail.Text.Split('\n').Count(line => !line.StartsWith('>')).ShouldBe(plain.Text.Split('\n').Count(line => !line.StartsWith('>')));
    }

    private static List<string> Tags(string html) => [.. Tag().Matches(html).Select(match => Href().Replace(match.Value, "href"))];

    private static Mail CustomerMail(CustomerLetter letter, string text) => Mail(CustomerLetters.Compose(letter, Life(text), text, Links), text);

    private static Mail FreelancerMail(FreelancerLetter letter, string text) =>
        Mail(FreelancerLetters.Compose(letter, Life(text), Freelancer.Initial with { Handle = "ada", DisplayName = text, Email = "ada@example.com" }, Links), text);

    private static Mail Mail(Letter letter, string name = "Ada") => letter.To("id", "ada@example.com", name);

    // A life in which every text that comes from outside says the same.
    private static CommissionDetail Life(string text) => Detail(
    [
        Some.Requested with { Customer = Some.Buyer with { Name = text }, Template = Some.UpFrontWork with { Title = text } },
        Some.Accepted,
        Some.InvoiceRefused with { Reason = text },
        Some.Invoiced with { Attempt = 2, Number = text },
        Some.Paid,
        Some.Uploaded with { Files = [Some.Files[0] with { Name = text }] },
        Some.Delivered,
        Some.PayoutRequested,
        Some.PayoutFailed with { Reason = text },
        Some.Cancelled with { Reason = text },
    ]);

    private static CommissionDetail Detail(IEnumerable<CommissionEvent> happened) =>
        new CommissionDetailProjection().Fold(StreamKey.Commission(Some.CommissionId), happened).Last()!;

    [GeneratedRegex("<[^>]*>")]
    private static partial Regex Tag();

    // Links are sealed anew each time.
    [GeneratedRegex("href=\"[^\"]*\"")]
    private static partial Regex Href();
}
