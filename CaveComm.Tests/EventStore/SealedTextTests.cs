using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using CaveComm.EventStore;
using CaveComm.Tests.Support;
using FsCheck;
using FsCheck.Fluent;
using Shouldly;

namespace CaveComm.Tests.EventStore;

/// <summary>How a text is sealed within JSON, whatever the text is.</summary>
public class SealedTextTests
{
    private static readonly byte[] Key = [.. Enumerable.Range(0, 32).Select(it => (byte)it)];
    private static readonly Guid EventId = Guid.Parse("01953f2a-0000-7000-8000-0000000000e1");

    private static readonly Gen<string> Text = Gen.Elements(
            "", " ", "sealed:", "sealed:1:", "sealed:2:", "sealed:0:", "sealed:9:", "person", ":", "\"", "\\", "\n", "\u0000", "\u00e9", "\u4e2d", "\U0001F40E", "<b>", "+&'", "{}", "[erased]", "a", "AAAA")
        .ListOf().Select(string.Concat);

    private static readonly Gen<(string, string, string)> Three = from a in Text from b in Text from c in Text select (a, b, c);

    [Fact]
    public void What_is_opened_is_what_was_sealed_and_nothing_else_changes() => Rule.Holds(Three, it =>
    {
        var (secret, open, member) = it;
        var json = new JsonObject { ["who"] = new JsonObject { ["name"] = secret, ["age"] = 1.50m }, ["title"] = open, ["lines"] = new JsonArray(open, secret, null, true), [$"x{member}"] = member }.ToJsonString();

        var stored = Sealed(json, "person:x", "who.name");

        JsonNode.Parse(stored)!["who"]!["name"]!.GetValue<string>().ShouldStartWith("sealed:1:person:x:");
        JsonNode.DeepEquals(JsonNode.Parse(Opened(stored)), JsonNode.Parse(json)).ShouldBeTrue();
    });

    [Fact]
    public void What_is_not_to_be_sealed_is_read_as_it_was_written() => Rule.Holds(Three, it =>
    {
        var json = new JsonObject { ["a"] = it.Item1, ["b"] = new JsonArray(it.Item2, new JsonObject { ["c"] = it.Item3 }) }.ToJsonString();

        JsonNode.DeepEquals(JsonNode.Parse(Opened(Encoding.UTF8.GetString(SealedText.Escape(Encoding.UTF8.GetBytes(json))))), JsonNode.Parse(json)).ShouldBeTrue();
    });

    [Fact]
    public void The_same_text_is_never_sealed_to_the_same_bytes() =>
        Enumerable.Range(0, 100).Select(_ => Sealed("""{"name":"x"}""", "s", "name")).ShouldBeUnique();

    [Fact]
    public void A_long_text_is_packed_and_comes_back_whole_whether_that_makes_it_shorter_or_not() => Rule.Holds(Three, it =>
    {
        var (some, other, _) = it;
        foreach (var text in new[] { string.Concat(Enumerable.Repeat(some, 300)), $"{some}{Convert.ToBase64String(RandomNumberGenerator.GetBytes(600))}{other}" })
        {
            var json = new JsonObject { ["name"] = text }.ToJsonString();

            JsonNode.Parse(Opened(Sealed(json, "person:x", "name")))!["name"]!.GetValue<string>().ShouldBe(text);
        }

        Sealed($$"""{"name":"{{new string('x', 3000)}}"}""", "person:x", "name").Length.ShouldBeLessThan(200);
    });

    [Theory]
    [InlineData("Ada", 1)]
    [InlineData("Ada, Countess of Lovelace, of whom there is much to tell", 20)]
    public void A_text_that_was_changed_in_one_place_does_not_open(string name, int times)
    {
        var json = new JsonObject { ["name"] = string.Concat(Enumerable.Repeat(name, times)) }.ToJsonString();
        var stored = Sealed(json, "s", "name");
        var sealedText = JsonNode.Parse(stored)!["name"]!.GetValue<string>();
        var asOtherKind = $"sealed:{(sealedText[7] == '1' ? 2 : 1)}{sealedText[8..]}";
        Should.Throw<JsonException>(() => Opened(stored.Replace(sealedText, asOtherKind, StringComparison.Ordinal)));
        for (var at = "sealed:1:s:".Length; at < sealedText.Length - 1; at++)
        {
            var changed = stored.Replace(sealedText, $"{sealedText[..at]}{(sealedText[at] == 'A' ? 'B' : 'A')}{sealedText[(at + 1)..]}", StringComparison.Ordinal);
            Should.Throw<JsonException>(() => Opened(changed));
        }

        Should.Throw<JsonException>(() => Opened(stored.Replace(sealedText, "sealed:1:s:", StringComparison.Ordinal)));
        Should.Throw<JsonException>(() => Opened(stored.Replace(sealedText, "sealed:1:s:!!!!", StringComparison.Ordinal)));
        JsonNode.DeepEquals(JsonNode.Parse(Opened(stored)), JsonNode.Parse(json)).ShouldBeTrue();
    }

    private static string Sealed(string json, string subject, string path) =>
        Encoding.UTF8.GetString(SealedText.Seal(Encoding.UTF8.GetBytes(json), EventId, subject, SealedPath.Of([path]), Key));

    private static string Opened(string stored)
    {
        using var cipher = new AesGcm(Key, SealedText.TagSize);
        var bytes = Encoding.UTF8.GetBytes(stored);
        return SealedText.Occurs(bytes) ? Encoding.UTF8.GetString(SealedText.Open(bytes, EventId, _ => cipher)) : stored;
    }
}
