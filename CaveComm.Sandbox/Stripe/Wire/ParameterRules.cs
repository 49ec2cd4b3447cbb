namespace CaveComm.Sandbox.Stripe.Wire;

/// <summary>Which parameters a call knows; any other is refused by name, since a misspelt one would change nothing and be noticed late.</summary>
/// <remarks>
/// Written as words: <c>amount</c> is a value, <c>metadata*</c> holds anything, <c>types[]</c> is an array of values,
/// <c>period{start end}</c> an object and <c>items[]{price quantity}</c> an array of objects.
/// </remarks>
internal sealed class ParameterRules
{
    private readonly Dictionary<string, Rule> rules = new(StringComparer.Ordinal);

    private enum Shape
    {
        Value,
        Anything,
        Values,
        Object,
        Objects,
    }

    public static ParameterRules Parse(string text)
    {
        var at = 0;
        return Parse(text, ref at);
    }

    /// <exception cref="StripeFault">A parameter is not known.</exception>
    public void Check(StripeParameters parameters)
    {
        foreach (var (path, value) in parameters.Entries)
        {
            Check(path, 0, value);
        }
    }

    private static ParameterRules Parse(string text, ref int at)
    {
        var parsed = new ParameterRules();
        while (at < text.Length && text[at] != '}')
        {
            if (char.IsWhiteSpace(text[at]))
            {
                at++;
                continue;
            }

            var start = at;
            while (at < text.Length && (char.IsAsciiLetterOrDigit(text[at]) || text[at] == '_'))
            {
                at++;
            }

            var name = text[start..at];
            var rest = text.AsSpan(at);
            var shape = rest.StartsWith("[]{") ? Shape.Objects
                : rest.StartsWith("[]") ? Shape.Values
                : rest.StartsWith("{") ? Shape.Object
                : rest.StartsWith("*") ? Shape.Anything
                : Shape.Value;
            at += shape switch { Shape.Objects => 3, Shape.Values => 2, Shape.Object or Shape.Anything => 1, _ => 0 };
            ParameterRules? below = null;
            if (shape is Shape.Object or Shape.Objects)
            {
                below = Parse(text, ref at);
                at++;
            }

            parsed.rules[name] = new Rule(shape, below);
        }

        return parsed;
    }

    private void Check(string[] path, int depth, string value)
    {
        if (!rules.TryGetValue(path[depth], out var rule) || !rule.Fits(path, depth, value))
        {
            throw StripeFault.Unknown(path[0] + string.Concat(path.Skip(1).Take(depth + 1).Select(part => $"[{part}]")));
        }
    }

    private sealed record Rule(Shape Shape, ParameterRules? Below)
    {
        public bool Fits(string[] path, int depth, string value)
        {
            var left = path.Length - depth - 1;
            switch (Shape)
            {
                case Shape.Value:
                    return left == 0;
                case Shape.Anything:
                    return true;
                case Shape.Values:
                    return left == 1 || (left == 0 && value.Length == 0);
                default:
                    // An object is unset by an empty value; one of an array is reached through its number.
                    var skip = Shape == Shape.Objects ? 2 : 1;
                    if (left == 0)
                    {
                        return value.Length == 0;
                    }

                    if (left < skip)
                    {
                        return false;
                    }

                    Below!.Check(path, depth + skip, value);
                    return true;
            }
        }
    }
}
