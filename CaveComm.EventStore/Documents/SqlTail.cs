using System.Text;
using Npgsql;

namespace CaveComm.EventStore;

/// <summary>The hand-written ends of queries, such as <c>where freelancer = ? order by id</c>.</summary>
internal static class SqlTail
{
    /// <summary>The whole statement, with numbered parameters. Question marks within quotes stay what they are.</summary>
    public static string Statement(DocumentMapping mapping, string tail)
    {
        var text = new StringBuilder($"select d.data from {mapping.QualifiedTable} as d ");
        var number = 0;
        var quote = '\0';
        foreach (var letter in tail)
        {
            if (quote == '\0' && letter == '?')
            {
                text.Append('$').Append(++number);
                continue;
            }

            quote = letter is not ('\'' or '"') ? quote : quote == '\0' ? letter : quote == letter ? '\0' : quote;
            text.Append(letter);
        }

        return text.ToString();
    }

    public static NpgsqlParameter Parameter(object? value) => new()
    {
        Value = value switch
        {
            null => DBNull.Value,
            DateTimeOffset instant => instant.ToUniversalTime(),
            Enum name => name.ToString(),
            _ => value,
        },
    };
}
