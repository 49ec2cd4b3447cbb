namespace CaveComm.Api.Http.Idempotency;

/// <summary>
/// Has the writes of a request commit together with its <c>Idempotency-Key</c>. One per scope; without a key, as in a message's handler or at the
/// command line, it does nothing.
/// </summary>
public interface IKeyedWrites
{
    /// <summary>Whether the request began before, and whatever carried it out died on the way: what is recorded of it is not to be recorded again.</summary>
    bool Resumes { get; }

    /// <summary>Whether the request has written something, or is about to.</summary>
    bool HasWritten { get; }

    /// <summary>The session's save commits together with the request's key. To be called before it is saved.</summary>
    void Enroll(IDocumentSession session);

    /// <summary>Begins a request that carries a key.</summary>
    /// <returns>What is kept of it already, sealed; null when it is new.</returns>
    /// <exception cref="KeyInHandException">It is being carried out elsewhere.</exception>
    Task<byte[]?> Start(KeyedRequest request, CancellationToken cancel);

    /// <summary>Keeps the answer: together with what was written, and committed with it.</summary>
    /// <exception cref="AnsweredMeanwhileException">Nothing was written, and another was faster to be refused.</exception>
    /// <exception cref="KeyInHandException">It is being carried out elsewhere.</exception>
    Task Keep(byte[] sealedAnswer);

    /// <summary>Takes back what was written and not committed, and lets go of the key.</summary>
    Task Drop();
}

/// <param name="Row">Names its answer.</param>
/// <param name="InSteps">See <see cref="AnswerRule.Kept"/>.</param>
/// <param name="WithoutAnswer">What is kept of it until there is an answer, sealed.</param>
public sealed record KeyedRequest(byte[] Row, bool InSteps, Func<byte[]> WithoutAnswer);

/// <summary>A request with the same key is being carried out.</summary>
public sealed class KeyInHandException : Exception
{
    public KeyInHandException()
        : base("A request with the same key is being carried out.")
    {
    }
}

/// <summary>A request with the same key was carried out meanwhile; nothing of this one was written.</summary>
public sealed class AnsweredMeanwhileException : Exception
{
    public AnsweredMeanwhileException()
        : base("A request with the same key was carried out meanwhile.")
    {
    }
}
