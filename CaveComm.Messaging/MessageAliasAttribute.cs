namespace CaveComm.Messaging;

/// <summary>The name a message type is stored under. Without it, the type's name in kebab-case; give one before renaming a type whose messages may still wait.</summary>
[AttributeUsage(AttributeTargets.Class | AttributeTargets.Struct, Inherited = false)]
public sealed class MessageAliasAttribute(string alias) : Attribute
{
    public string Alias { get; } = alias;
}
