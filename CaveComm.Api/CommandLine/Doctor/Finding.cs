namespace CaveComm.Api.CommandLine.Doctor;

/// <summary>What the doctor saw, and how to mend it when it is wrong.</summary>
internal sealed record Finding(Verdict Verdict, string Subject, string Text, string? Remedy = null)
{
    public static Finding Good(string subject, string text) => new(Verdict.Good, subject, text);

    /// <summary>It works, and somebody should know.</summary>
    public static Finding Note(string subject, string text, string? remedy = null) => new(Verdict.Note, subject, text, remedy);

    public static Finding Wrong(string subject, string text, string remedy) => new(Verdict.Wrong, subject, text, remedy);
}

internal enum Verdict
{
    Good,
    Note,
    Wrong,
}
