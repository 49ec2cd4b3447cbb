namespace CaveComm.Api.Http.Idempotency;

/// <summary>What both backends do alike: hold the key while a request is carried out, and keep its answer.</summary>
internal abstract class KeyedWrites(AnswerTable table) : IKeyedWrites, IAsyncDisposable
{
    private LockedRow? held;
    private KeyedRequest? request;

    public bool Resumes { get; private set; }

    public bool HasWritten { get; protected set; }

    protected KeyedRequest? Request => request;

    protected AnswerTable Table => table;

    /// <summary>Whether the key is held from the beginning; otherwise from the write, or from the answer when there is none.</summary>
    protected abstract bool HoldsFromTheBeginning(KeyedRequest request);

    public abstract void Enroll(IDocumentSession session);

    public async Task<byte[]?> Start(KeyedRequest request, CancellationToken cancel)
    {
        this.request = request;
        if (!HoldsFromTheBeginning(request))
        {
            return await table.Find(request.Row, cancel);
        }

        held = await table.Lock(request.Row, cancel);
        Resumes = held.Found is not null;
        return held.Found;
    }

    public virtual async Task Keep(byte[] sealedAnswer)
    {
        held ??= await Hold(CancellationToken.None);
        await table.Write(held, request!.Row, sealedAnswer);
        await held.Transaction.CommitAsync(CancellationToken.None);
        await Drop();
    }

    public virtual async Task Drop()
    {
        if (held is not null)
        {
            await held.DisposeAsync();
            held = null;
        }
    }

    public async ValueTask DisposeAsync() => await Drop();

    /// <summary>Takes the key anew; what an attempt before this one wrote is rolled back.</summary>
    protected async Task<LockedRow> Hold(CancellationToken cancel)
    {
        await Drop();
        held = await table.Lock(request!.Row, cancel);
        if (held.Found is null)
        {
            return held;
        }

        await Drop();
        throw new AnsweredMeanwhileException();
    }
}
