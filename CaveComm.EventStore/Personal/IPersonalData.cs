namespace CaveComm.EventStore;

/// <summary>The keys that personal data in events is sealed with. Who destroys a key erases everything that was sealed with it, in the log and in every copy of it.</summary>
public interface IPersonalData
{
    /// <summary>What reads in place of a text whose key is destroyed.</summary>
    const string Erased = "[erased]";

    /// <returns>Null when nothing was ever sealed for this subject.</returns>
    Task<PersonalSubject?> Find(string subject, CancellationToken cancel);

    /// <summary>The subjects with this beginning whose keys are destroyed.</summary>
    Task<IReadOnlyList<PersonalSubject>> ErasedSubjects(string prefix, CancellationToken cancel);

    /// <summary>Destroys the keys of a subject, and of all that was assigned to it, with the session's next save. Saves that are sealing for it are waited for; later ones fail.</summary>
    void Erase(IDocumentSession session, string subject);

    /// <summary>Says with the session's next save whom a subject belongs to: when the owner is erased it goes too; where the owner is erased already, at once.</summary>
    void Assign(IDocumentSession session, string subject, string owner);
}

/// <summary>Somebody or something that texts were sealed for.</summary>
/// <param name="ErasedAt">When its key was destroyed; null while it is there.</param>
public sealed record PersonalSubject(string Subject, DateTimeOffset Created, DateTimeOffset? ErasedAt);

/// <summary>Something was to be sealed for a subject that was erased. Who comes back after that is somebody new.</summary>
public sealed class PersonalDataErasedException(string subject, Exception? inner = null)
    : Exception($"The personal data of {subject} was erased: nothing can be sealed for it any more.", inner);

/// <summary>The keys in the database do not open: the master key is not the one that they were wrapped with.</summary>
public sealed class WrongMasterKeyException(Exception? inner = null)
    : Exception("The master key does not fit the keys of this database. Put the key back that belongs to it; without it no personal data can be read.", inner);
