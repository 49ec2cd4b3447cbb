namespace CaveComm.EventStore;

/// <summary>A document cannot become a row: the serialiser threw, or a member that has a column of its own holds what is no text. A bug of whoever made it.</summary>
public sealed class UnwritableDocumentException(string id, Exception inner) : Exception(inner.Message, inner)
{
    public string Id { get; } = id;
}
