namespace CaveComm.Domain;

/// <summary>What a decider answers: events to record, nothing (a repeat), or a refusal.</summary>
public sealed record Decision<TEvent>(IReadOnlyList<TEvent> Events, Refusal? Refusal)
{
    /// <summary>Nothing happens: the command was carried out before.</summary>
    public static Decision<TEvent> Nothing { get; } = new([], null);

    public static Decision<TEvent> Record(params TEvent[] events) => new(events, null);

    public static Decision<TEvent> Refuse(RefusalKind kind, string code, string detail) => new([], new Refusal(kind, code, detail));

    public static implicit operator Decision<TEvent>(Refusal refusal) => new([], refusal);
}

/// <summary>Why a command was not carried out, as a value that a caller can answer.</summary>
/// <param name="Code">Stable and documented under <c>docs/problems</c>; part of the API.</param>
/// <param name="Detail">One sentence that a person can act on.</param>
/// <param name="Fields">Faults by field, where the command's content is at fault.</param>
public sealed record Refusal(RefusalKind Kind, string Code, string Detail, IReadOnlyDictionary<string, string[]>? Fields = null);

public enum RefusalKind
{
    /// <summary>There is no such thing, or it belongs to somebody else.</summary>
    Missing,

    /// <summary>The caller may not.</summary>
    Forbidden,

    /// <summary>Not in this state, or somebody else was first.</summary>
    Conflict,

    /// <summary>The content breaks a rule.</summary>
    Invalid,
}
