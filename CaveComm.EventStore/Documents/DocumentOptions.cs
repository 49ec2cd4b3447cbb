using System.Linq.Expressions;

namespace CaveComm.EventStore;

/// <summary>How document types are stored.</summary>
public sealed class DocumentOptions
{
    private readonly Dictionary<Type, IDocumentExpression> expressions = [];

    internal DocumentOptions()
    {
    }

    /// <summary>Names a type as a document and says how it is stored. A projection's view needs it only for duplicated members.</summary>
    public DocumentExpression<T> For<T>()
        where T : notnull
    {
        if (!expressions.TryGetValue(typeof(T), out var it))
            expressions[typeof(T)] = it = new DocumentExpression<T>();
        return (DocumentExpression<T>)it;
    }

    internal IEnumerable<Type> Types => expressions.Keys;

    internal IReadOnlyList<LambdaExpression> DuplicatesOf(Type type) =>
        expressions.TryGetValue(type, out var it) ? it.Duplicates : [];
}

internal interface IDocumentExpression
{
    IReadOnlyList<LambdaExpression> Duplicates { get; }
}

/// <summary>How one document type is stored.</summary>
public sealed class DocumentExpression<T> : IDocumentExpression
    where T : notnull
{
    private readonly List<LambdaExpression> duplicates = [];

    internal DocumentExpression()
    {
    }

    IReadOnlyList<LambdaExpression> IDocumentExpression.Duplicates => duplicates;

    /// <summary>Keeps a member in an indexed column of its own too, named in snake_case, for queries.</summary>
    public DocumentExpression<T> Duplicate(Expression<Func<T, object?>> expression)
    {
        duplicates.Add(expression);
        return this;
    }
}
