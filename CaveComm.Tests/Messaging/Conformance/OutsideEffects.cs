namespace CaveComm.Tests.Messaging.Conformance;

/// <summary>Handlers that do something outside of the database, once more with the same key when they are called again.</summary>
internal sealed class OutsideEffects(Uri address, TimeSpan work) : IDisposable
{
    private readonly HttpClient http = new() { BaseAddress = address };

    public Journal Journal() => new Journal()
        .When<Ping>((ping, _, cancel) => Do($"ping/{ping.Text}", cancel))
        .When<Book>((book, _, cancel) => Do($"{book.Stream}/book/{book.Number}", cancel))
        .When<Confirm>((confirm, _, cancel) => Do($"{confirm.Stream}/confirm/{confirm.Number}", cancel));

    public void Dispose() => http.Dispose();

    private async Task Do(string key, CancellationToken cancel)
    {
        await Task.Delay(work, cancel);
        using var request = new HttpRequestMessage(HttpMethod.Post, address);
        request.Headers.Add("Idempotency-Key", key);
        using var answer = await http.SendAsync(request, cancel);
        answer.EnsureSuccessStatusCode();
    }
}
