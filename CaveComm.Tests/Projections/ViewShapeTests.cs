using System.Collections;
using System.Reflection;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using CaveComm.Api.Composition;
using CaveComm.EventStore;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Shouldly;

namespace CaveComm.Tests.Projections;

/// <summary>A view whose shape changes needs a higher version, so that it gets a table of its own and is built anew.</summary>
public sealed class ViewShapeTests
{
    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    [Fact]
    public async Task Every_stored_view_has_the_shape_that_its_version_was_given()
    {
        await using var services = new ServiceCollection()
            .AddLogging()
            .AddBackend(new ConfigurationBuilder().AddInMemoryCollection(
                [new("ConnectionStrings:CaveComm", "Host=nowhere;Database=none"), new("CaveComm:PersonalMasterKey", Convert.ToBase64String(new byte[32]))]).Build())
            .BuildServiceProvider();
        var stored = services.GetRequiredService<DocumentStore>().Options.Projections.Stored().Select(it => it.Projection).ToList();
        stored.ShouldNotBeEmpty();
        stored.ShouldSatisfyAllConditions(
            [.. stored.Select(projection => (Action)(() => Shape(projection.ViewType).ShouldBe(Golden(projection), Advice(projection))))]);
    }

    [Fact]
    public void A_member_deep_inside_is_part_of_the_shape()
    {
        Shape(typeof(Outer)).ShouldBe(
        [
            "Colour: Red Green", "Inner.Colour: Colour", "Inner.Count: Int32?", "Outer.Id: String", "Outer.Inners: IReadOnlyList<Inner>", "Outer.Next: Outer",
        ]);
    }

    private static string Advice(ProjectionBase projection) =>
        $"""
        {projection.ViewType.Name} is not stored as version {projection.Version} of {projection.Name} once was. Rows of both shapes would stand in one table.
        Give the projection the next Version (its table is then built beside the old one, which old nodes go on using), and put this into
        CaveComm.Tests/Projections/Golden/{projection.Name}.v{projection.Version + 1}.json (or ….v{projection.Version}.json if that version was never deployed):
        {JsonSerializer.Serialize(Shape(projection.ViewType), Indented)}
        """;

    private static string[] Golden(ProjectionBase projection)
    {
        using var file = typeof(ViewShapeTests).Assembly.GetManifestResourceStream($"golden/{projection.Name}.v{projection.Version}.json");
        return file is null ? [] : JsonSerializer.Deserialize<string[]>(file)!;
    }

    private static string[] Shape(Type view)
    {
        var lines = new SortedSet<string>(StringComparer.Ordinal);
        Describe(view, lines, []);
        return [.. lines];
    }

    private static void Describe(Type type, SortedSet<string> lines, HashSet<Type> seen)
    {
        type = Nullable.GetUnderlyingType(type) ?? type;
        if (!seen.Add(type))
            return;
        if (type.IsGenericType || type.IsArray)
        {
            foreach (var part in type.IsArray ? [type.GetElementType()!] : type.GetGenericArguments())
                Describe(part, lines, seen);
            if (typeof(IEnumerable).IsAssignableFrom(type))
                return;
        }

        if (type.Namespace?.StartsWith("CaveComm", StringComparison.Ordinal) != true)
            return;
        if (type.IsEnum)
        {
            lines.Add($"{type.Name}: {string.Join(' ', Enum.GetNames(type))}");
            return;
        }

        foreach (var property in type.GetProperties(BindingFlags.Instance | BindingFlags.Public).Where(it => !it.IsDefined(typeof(JsonIgnoreAttribute))))
        {
            lines.Add($"{Name(type)}.{property.Name}: {Name(property.PropertyType)}");
            Describe(property.PropertyType, lines, seen);
        }

        // What stands for an abstract type is stored in its place.
        foreach (var concrete in type.Assembly.GetTypes().Where(it => it != type && type.IsAbstract && type.IsAssignableFrom(it)))
            Describe(concrete, lines, seen);
    }

    private static string Name(Type type) =>
        Nullable.GetUnderlyingType(type) is { } value ? $"{Name(value)}?"
        : type.IsGenericType ? $"{type.Name.Split('`')[0]}<{string.Join(", ", type.GetGenericArguments().Select(Name))}>"
        : type.Name;

    private enum Colour
    {
        Red,
        Green,
    }

    private sealed record Inner(Colour Colour, int? Count);

    private sealed record Outer(string Id, IReadOnlyList<Inner> Inners, Outer? Next);
}
