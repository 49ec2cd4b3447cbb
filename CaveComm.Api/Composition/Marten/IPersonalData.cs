// Found under this short name by everything in CaveComm.Api, as the kernel's is by its global using.
namespace CaveComm.Api;

/// <summary>The kernel's contract for keys of personal data, over sessions of Marten.</summary>
public interface IPersonalData
{
    Task<PersonalSubject?> Find(string subject, CancellationToken cancel);

    Task<IReadOnlyList<PersonalSubject>> ErasedSubjects(string prefix, CancellationToken cancel);

    void Erase(IDocumentSession session, string subject);

    void Assign(IDocumentSession session, string subject, string owner);
}

/// <summary>
/// Marten keeps texts as they are: nothing is sealed, so there are no keys, and nobody can be erased by destroying one. Whoever asks for that is
/// told, rather than left to believe that it was done; a register that remembers erasures keeps the product from starting for the same reason.
/// </summary>
internal sealed class UnsealedPersonalData : IPersonalData
{
    public Task<PersonalSubject?> Find(string subject, CancellationToken cancel) => throw Unsealed();

    public Task<IReadOnlyList<PersonalSubject>> ErasedSubjects(string prefix, CancellationToken cancel) => throw Unsealed();

    public void Erase(IDocumentSession session, string subject) => throw Unsealed();

    /// <summary>Nothing was sealed for the subject, so nothing has to go with its owner's key.</summary>
    public void Assign(IDocumentSession session, string subject, string owner)
    {
    }

    private static NotSupportedException Unsealed() =>
        new("Personal data is not sealed on Marten, so it cannot be erased by destroying a key. This works on the kernel only.");
}
