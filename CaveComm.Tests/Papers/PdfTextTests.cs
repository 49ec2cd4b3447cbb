using System.Text;
using CaveComm.Api.Papers.Pdf;
using CaveComm.Tests.Support;
using FsCheck.Fluent;
using Shouldly;

namespace CaveComm.Tests.Papers;

public class PdfTextTests
{
    private const double Column = 120;

    [Theory]
    [InlineData("Müller & Søn, 20 €", "Müller & Søn, 20 €")]
    [InlineData("Dvořák, Łódź", "Dvorák, Lódz")]
    [InlineData("a\tb\u0000c\r\nd", "a b c  d")]
    [InlineData("left\u202Eright\u200B", "leftright")]
    [InlineData("数 and 😀", "? and ?")]
    [InlineData("Țeavă, I\u0307stanbul, ŽižkaŸ, \u20BF 1", "Teava, Istanbul, ŽižkaŸ, BTC 1")]
    public void What_the_fonts_lack_is_put_in_other_words_or_replaced(string text, string shown) => Shown(PdfText.Encode(text)).ShouldBe(shown);

    [Fact]
    public void Half_a_character_is_replaced() => Shown(PdfText.Encode("a\uD800b")).ShouldBe("a?b");

    [Fact]
    public void Words_are_kept_whole_where_they_fit() =>
        Lines("The quick brown fox jumps over the lazy dog").ShouldBe(["The quick brown fox", "jumps over the lazy dog"]);

    [Fact]
    public void A_word_that_is_too_long_is_cut() => string.Concat(Lines(new string('w', 200))).ShouldBe(new string('w', 200));

    [Fact]
    public void What_does_not_fit_ends_in_an_ellipsis()
    {
        var lines = PdfText.Wrap(string.Join('\n', Enumerable.Repeat("line", 9)), PdfFont.Regular, 10, Column, 3);
        lines.Select(Shown).ShouldBe(["line", "line", "line…"]);
    }

    [Fact]
    public void No_text_leaves_its_column_and_none_is_lost() => Rule.Holds(
        Gen.ListOf(Gen.Frequency((6, Gen.Choose(32, 0x2FF)), (2, Gen.Constant(32)), (1, Gen.Choose(0, 31)), (1, Gen.Choose(0, 0xFFFF)))),
        characters =>
        {
            var text = string.Concat(characters.Select(it => (char)it));
            var lines = PdfText.Wrap(text, PdfFont.Bold, 10, Column);
            lines.ShouldAllBe(line => PdfFont.Bold.Width(line, 10) <= Column);
            lines.SelectMany(line => line).ShouldAllBe(character => character >= 32);
            string.Concat(lines.Select(Shown)).Replace(" ", "", StringComparison.Ordinal)
                .ShouldBe(Shown(PdfText.Encode(text)).Replace(" ", "", StringComparison.Ordinal));
        });

    private static IEnumerable<string> Lines(string text) => PdfText.Wrap(text, PdfFont.Regular, 10, Column).Select(Shown);

    private static string Shown(byte[] text)
    {
        Encoding.RegisterProvider(CodePagesEncodingProvider.Instance);
        return Encoding.GetEncoding(1252).GetString(text);
    }
}
