using CaveComm.Domain;
using CaveComm.Domain.Commissions;
using Shouldly;

namespace CaveComm.Tests.Commissions;

public class AnswerRulesTests
{
    private static readonly string[] Sizes = ["A4", "A3"];

    [Theory]
    [InlineData(QuestionKind.Text, "A cat", "A cat")]
    [InlineData(QuestionKind.Text, "  A cat \n", "A cat")]
    [InlineData(QuestionKind.Text, "\U0001F63A <b>", "\U0001F63A <b>")]
    [InlineData(QuestionKind.LongText, "One\r\ntwo\tthree", "One\r\ntwo\tthree")]
    [InlineData(QuestionKind.Choice, "A3", "A3")]
    [InlineData(QuestionKind.Number, "+007", "7")]
    [InlineData(QuestionKind.Number, "-3.5", "-3.5")]
    [InlineData(QuestionKind.Number, ".5", "0.5")]
    [InlineData(QuestionKind.Date, "2026-12-24", "2026-12-24")]
    public void A_good_answer_is_taken_in_its_canonical_text(QuestionKind kind, string given, string expected)
    {
        var (answers, faults) = Check(Question(kind), given);
        faults.ShouldBeEmpty();
        answers["it"].ShouldBe(expected);
    }

    [Theory]
    [InlineData(QuestionKind.Text, "One\nline\nmore")]
    [InlineData(QuestionKind.Text, "NUL\0")]
    [InlineData(QuestionKind.LongText, "NUL\0inside")]
    [InlineData(QuestionKind.LongText, "\u001b[31mred")]
    [InlineData(QuestionKind.Choice, "a3")]
    [InlineData(QuestionKind.Choice, "A5")]
    [InlineData(QuestionKind.Number, "twelve")]
    [InlineData(QuestionKind.Number, "1,5")]
    [InlineData(QuestionKind.Number, "1e5")]
    [InlineData(QuestionKind.Number, "NaN")]
    [InlineData(QuestionKind.Date, "24.12.2026")]
    [InlineData(QuestionKind.Date, "2026-02-30")]
    [InlineData(QuestionKind.Date, "2026-2-3")]
    [InlineData(QuestionKind.Image, "cat.png")]
    public void A_bad_answer_is_a_fault_of_its_field(QuestionKind kind, string given)
    {
        var (answers, faults) = Check(Question(kind), given);
        faults.Keys.ShouldBe(["answers.it"]);
        answers.ShouldBeEmpty();
    }

    [Fact]
    public void Texts_have_a_length_limit()
    {
        Check(Question(QuestionKind.Text), new string('x', 500)).Faults.ShouldBeEmpty();
        Check(Question(QuestionKind.Text), new string('x', 501)).Faults.ShouldNotBeEmpty();
        Check(Question(QuestionKind.LongText), new string('x', 10_000)).Faults.ShouldBeEmpty();
        Check(Question(QuestionKind.LongText), new string('x', 10_001)).Faults.ShouldNotBeEmpty();
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("  ")]
    public void A_required_question_needs_an_answer(string? given)
    {
        Check(Question(QuestionKind.Text, required: true), given).Faults.Keys.ShouldBe(["answers.it"]);
        Check(Question(QuestionKind.Text), given).Faults.ShouldBeEmpty();
        Check(Question(QuestionKind.Text), given).Answers.ShouldBeEmpty();
    }

    [Fact]
    public void A_required_image_is_answered_by_a_file()
    {
        var question = Question(QuestionKind.Image, required: true);
        Check(question, null).Faults.Keys.ShouldBe(["answers.it"]);
        var faults = new Faults();
        AnswerRules.Check([question], new Dictionary<string, string>(), faults, images: ["it"]).ShouldBeEmpty();
        Told(faults).ShouldBeEmpty();
    }

    [Fact]
    public void Every_fault_is_told_at_once_also_that_of_an_unknown_question()
    {
        var faults = new Faults();
        AnswerRules.Check(
            [Question(QuestionKind.Number) with { Id = "count" }, Question(QuestionKind.Text, required: true) with { Id = "subject" }, Question(QuestionKind.Date) with { Id = "when" }],
            new Dictionary<string, string> { ["count"] = "many", ["other"] = "?", ["when"] = "2026-12-24" },
            faults);
        Told(faults).Keys.ShouldBe(["answers.count", "answers.subject", "answers.other"], ignoreOrder: true);
    }

    private static Question Question(QuestionKind kind, bool required = false) => new("it", "It", kind, required, kind == QuestionKind.Choice ? Sizes : null);

    private static (IReadOnlyDictionary<string, string> Answers, IReadOnlyDictionary<string, string[]> Faults) Check(Question question, string? given)
    {
        var faults = new Faults();
        var answers = AnswerRules.Check([question], given is null ? new Dictionary<string, string>() : new() { ["it"] = given }, faults);
        return (answers, Told(faults));
    }

    private static IReadOnlyDictionary<string, string[]> Told(Faults faults) => faults.ToRefusal().Fields!;
}
