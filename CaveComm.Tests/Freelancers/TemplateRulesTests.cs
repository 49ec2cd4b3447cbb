using CaveComm.Domain;
using CaveComm.Domain.Commissions;
using CaveComm.Domain.Freelancers;
using CaveComm.Tests.Support;
using Shouldly;
using static CaveComm.Tests.Support.Some;

namespace CaveComm.Tests.Freelancers;

public class TemplateRulesTests
{
    private static readonly Question Choice = new("size", "Size", QuestionKind.Choice, Required: true, ["A4", "A3"]);

    [Fact]
    public void A_plain_template_has_no_faults()
    {
        Faulty(Portrait).ShouldBeEmpty();
        Faulty(Portrait with { Questions = [], TermsOfService = null, Slots = null }).ShouldBeEmpty();
        Faulty(Portrait with { Questions = [Subject, Choice] }).ShouldBeEmpty();
    }

    [Theory]
    [InlineData("")]
    [InlineData("Portrait")]
    [InlineData("a portrait")]
    [InlineData("portrait/../mural")]
    [InlineData("portrait\n")]
    [InlineData("p\u00f6rtrait")]
    [InlineData("12345678901234567890123456789012345678901234567890123456789012345")]
    public void A_name_is_part_of_a_URL(string name) => Faulty(Portrait with { Name = name }).ShouldBe(["templateName"]);

    [Fact]
    public void Texts_are_required_limited_and_plain()
    {
        Faulty(Portrait with { Title = " " }).ShouldBe(["title"]);
        Faulty(Portrait with { Title = new string('x', 201) }).ShouldBe(["title"]);
        Faulty(Portrait with { Title = "NUL\0" }).ShouldBe(["title"]);
        Faulty(Portrait with { Description = "" }).ShouldBe(["description"]);
        Faulty(Portrait with { Description = new string('x', 20_001) }).ShouldBe(["description"]);
        Faulty(Portrait with { TermsOfService = new string('x', 50_001) }).ShouldBe(["termsOfService"]);
        Faulty(Portrait with { Description = "Two\nlines" }).ShouldBeEmpty();
    }

    [Fact]
    public void A_price_is_above_zero_and_in_a_known_currency()
    {
        Faulty(Portrait with { Price = Euro(0) }).ShouldBe(["price.amount"]);
        Faulty(Portrait with { Price = Euro(-1) }).ShouldBe(["price.amount"]);
        Faulty(Portrait with { Price = new Money(1, "XXX") }).ShouldBe(["price"]);
        Faulty(Portrait with { Price = default }).ShouldBe(["price"]);
        Faulty(Portrait with { Price = Euro(1) }).ShouldBeEmpty();
    }

    [Fact]
    public void Providers_are_known_and_named_once_each()
    {
        Faulty(Portrait with { Providers = [] }).ShouldBe(["providers"]);
        Faulty(Portrait with { Providers = ["paypal"] }).ShouldBe(["providers"]);
        Faulty(Portrait with { Providers = ["manual"] }).ShouldBe(["providers"]);
        Faulty(Portrait with { Providers = ["stripe", "stripe"] }).ShouldBe(["providers"]);
    }

    [Fact]
    public void Stripe_takes_no_bitcoin()
    {
        Faulty(Portrait with { Price = Satoshi(1_000) }).ShouldBe(["providers"]);
        Faulty(Portrait with { Price = Satoshi(1_000), Providers = ["btcpay"] }).ShouldBeEmpty();
    }

    [Theory]
    [InlineData(0, false)]
    [InlineData(-1, false)]
    [InlineData(1, true)]
    [InlineData(10_000, true)]
    [InlineData(10_001, false)]
    public void Places_are_counted_from_one(int slots, bool isFine) => Faulty(Portrait with { Slots = slots }).Any().ShouldBe(!isFine);

    [Theory]
    [InlineData(0, false)]
    [InlineData(1, true)]
    [InlineData(365, true)]
    [InlineData(366, false)]
    public void An_invoice_is_due_within_a_year(int dueDays, bool isFine) => Faulty(Portrait with { DueDays = dueDays }).Any().ShouldBe(!isFine);

    [Fact]
    public void A_question_has_an_id_of_its_own_and_a_label()
    {
        Faulty(Questions(Subject with { Id = "" })).ShouldBe(["questions[0].id"]);
        Faulty(Questions(Subject with { Id = "my question" })).ShouldBe(["questions[0].id"]);
        Faulty(Questions(Subject with { Id = "it\n" })).ShouldBe(["questions[0].id"]);
        Faulty(Questions(Subject, Choice, Subject)).ShouldBe(["questions[2].id"]);
        Faulty(Questions(Subject with { Label = "" })).ShouldBe(["questions[0].label"]);
    }

    [Fact]
    public void Only_a_choice_has_options_and_it_has_some()
    {
        Faulty(Questions(Subject with { Options = ["A4"] })).ShouldBe(["questions[0].options"]);
        Faulty(Questions(Choice with { Options = null })).ShouldBe(["questions[0].options"]);
        Faulty(Questions(Choice with { Options = [] })).ShouldBe(["questions[0].options"]);
        Faulty(Questions(Choice with { Options = ["A4", "A4"] })).ShouldBe(["questions[0].options"]);
        Faulty(Questions(Choice with { Options = ["A4", " "] })).ShouldBe(["questions[0].options"]);
        Faulty(Questions(Choice with { Options = ["A4\0"] })).ShouldBe(["questions[0].options"]);
        Faulty(Questions(Choice with { Options = [new string('x', 201)] })).ShouldBe(["questions[0].options"]);
        Faulty(Questions(Choice with { Options = [.. Enumerable.Range(0, 101).Select(n => $"{n}")] })).ShouldBe(["questions[0].options"]);
    }

    [Fact]
    public void A_form_has_at_most_50_questions()
    {
        Faulty(Questions([.. Enumerable.Range(0, 50).Select(n => Subject with { Id = $"q{n}" })])).ShouldBeEmpty();
        Faulty(Questions([.. Enumerable.Range(0, 51).Select(n => Subject with { Id = $"q{n}" })])).ShouldBe(["questions"]);
    }

    [Fact]
    public void All_faults_are_told_at_once() =>
        Faulty(new Template("", 0, "", "", default, PaymentTerms.UpFront, [], [Subject with { Id = "" }], null, 0, 0))
            .ShouldBe(["templateName", "title", "description", "price", "providers", "questions[0].id", "slots", "dueDays"], ignoreOrder: true);

    [Fact]
    public void Any_change_but_that_of_the_version_says_something_else()
    {
        var template = Portrait with { Questions = [Subject, Choice] };
        TemplateRules.SaysTheSame(template, StoreJson.Again(template) with { Version = 9 }).ShouldBeTrue();
        Template[] changed =
        [
            template with { Title = "?" }, template with { Description = "?" }, template with { Price = Euro(1) }, template with { PaymentTerms = PaymentTerms.OnDelivery },
            template with { Providers = ["stripe"] }, template with { Providers = ["btcpay", "stripe"] }, template with { TermsOfService = null }, template with { Slots = null },
            template with { DueDays = 15 }, template with { Questions = [Subject] }, template with { Questions = [Choice, Subject] },
            template with { Questions = [Subject with { Required = false }, Choice] }, template with { Questions = [Subject, Choice with { Options = ["A4"] }] },
        ];
        foreach (var other in changed)
        {
            TemplateRules.SaysTheSame(template, other).ShouldBeFalse();
        }
    }

    [Fact]
    public void A_snapshot_says_what_was_on_offer() => Portrait.Snapshot().ShouldBe(
        new TemplateSnapshot("portrait", 1, "A portrait", Price, PaymentTerms.UpFront, Portrait.Questions, "No resale.", 3, 14));

    private static Template Questions(params Question[] questions) => Portrait with { Questions = questions };

    private static IEnumerable<string> Faulty(Template template)
    {
        var faults = new Faults();
        TemplateRules.Check(template, faults);
        return faults.ToRefusal().Fields!.Keys;
    }
}
