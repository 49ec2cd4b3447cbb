namespace CaveComm.Tests.Providers;

/// <summary>A wire to a real server that keeps what was sent, and on which one answer can be lost after the work was done.</summary>
internal sealed class LossyWire() : DelegatingHandler(new SocketsHttpHandler { AllowAutoRedirect = false, UseCookies = false })
{
    private readonly Lock gate = new();
    private int until = -1;

    public List<SentRequest> Sent { get; } = [];

    /// <summary>Loses the answer to the n-th request from now; 1 is the next.</summary>
    public void Lose(int answer) => until = answer;

    /// <returns>Whether the answer that was to be lost has been.</returns>
    public bool LoseNoMore()
    {
        var wasLost = until == 0;
        until = -1;
        return wasLost;
    }

    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        var sent = await SentRequest.Of(request, cancellationToken);
        bool lose;
        lock (gate)
        {
            Sent.Add(sent);
            lose = until > 0 && --until == 0;
        }

        var response = await base.SendAsync(request, cancellationToken);
        if (!lose)
        {
            return response;
        }

        // As a time limit ends a request: the provider has done its work, and we do not know.
        await response.Content.LoadIntoBufferAsync(cancellationToken);
        response.Dispose();
        throw new OperationCanceledException("The answer is lost.");
    }
}
