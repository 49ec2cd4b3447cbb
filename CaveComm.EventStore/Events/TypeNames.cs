using System.Globalization;
using System.Text;

namespace CaveComm.EventStore;

/// <summary>How types and members are named in the database, by Marten's rules.</summary>
internal static class TypeNames
{
    /// <summary><c>Full.Type.Name, AssemblyName</c>, without version; nested types as .NET writes them, with a plus.</summary>
    public static string DotNet(Type type) => $"{type.FullName}, {type.Assembly.GetName().Name}";

    /// <summary>The name of a type or member in snake_case.</summary>
    public static string Snake(string name)
    {
        var snake = new StringBuilder(name.Length + 8);
        for (var i = 0; i < name.Length; i++)
        {
            var startsWord = char.IsUpper(name[i]) && i > 0
                && (!char.IsUpper(name[i - 1]) || (i + 1 < name.Length && char.IsLower(name[i + 1])));
            if (startsWord && name[i - 1] != '_')
                snake.Append('_');
            snake.Append(char.ToLower(name[i], CultureInfo.InvariantCulture));
        }

        return snake.ToString();
    }

    /// <summary>The table of a document type: the class name in lower case, after the name of the class it is nested in.</summary>
    public static string DocumentAlias(Type type)
    {
        var name = Plain(type).ToLowerInvariant();
        return type.DeclaringType is { } outer ? $"{Plain(outer).ToLowerInvariant()}_{name}" : name;
    }

    /// <summary>A projection's default name: its class's, with its type arguments where it has some, since those tell two apart.</summary>
    public static string Projection(Type type) => type.IsGenericType
        ? $"{Plain(type)}<{string.Join(',', type.GetGenericArguments().Select(Projection))}>"
        : type.Name;

    private static string Plain(Type type) => type.Name.Split('`')[0];
}
