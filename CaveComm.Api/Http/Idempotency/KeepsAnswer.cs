namespace CaveComm.Api.Http.Idempotency;

/// <summary>What becomes of the answer to a POST that carries an <c>Idempotency-Key</c>: every POST says one or the other.</summary>
public abstract record AnswerRule
{
    private AnswerRule()
    {
    }

    /// <param name="InSteps">
    /// The act takes several transactions, each of them harmless twice: the key goes with the first, the answer follows the last, and after a crash in
    /// between the act is gone through once more. Otherwise it takes one, and key and answer go with it.
    /// </param>
    /// <param name="UnlessForm">A browser's form gets an answer that is not kept, because it signs in.</param>
    public sealed record Kept(bool InSteps, bool UnlessForm) : AnswerRule;

    /// <param name="Reason">Why a repeat does no harm, or why its answer must not lie anywhere.</param>
    public sealed record NotKept(string Reason) : AnswerRule;
}

public static class KeepsAnswer
{
    /// <summary>The act saves one session, which the endpoint enrols by <see cref="IKeyedWrites.Enroll"/>; from there to its answer it waits for nothing.</summary>
    public static TBuilder KeepsItsAnswer<TBuilder>(this TBuilder builder, bool unlessForm = false)
        where TBuilder : IEndpointConventionBuilder => builder.WithMetadata(new AnswerRule.Kept(InSteps: false, unlessForm));

    /// <summary>The act takes several transactions, each of which may be done again; the first one at least is enrolled.</summary>
    public static TBuilder KeepsItsAnswerAfterSteps<TBuilder>(this TBuilder builder)
        where TBuilder : IEndpointConventionBuilder => builder.WithMetadata(new AnswerRule.Kept(InSteps: true, UnlessForm: false));

    /// <summary>An <c>Idempotency-Key</c> is not looked at here.</summary>
    public static TBuilder KeepsNoAnswer<TBuilder>(this TBuilder builder, string reason)
        where TBuilder : IEndpointConventionBuilder => builder.WithMetadata(new AnswerRule.NotKept(reason));
}
