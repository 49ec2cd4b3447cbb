using System.Diagnostics;
using CaveComm.Api.Delivery;

namespace CaveComm.Api.Composition;

/// <summary>
/// What stands beside every log line: the trace, and what encloses the line. The framework puts the request's path there, and the path of a download is
/// its key: of that, the log gets no more than that it was a download.
/// </summary>
internal sealed class QuietScopes : IExternalScopeProvider
{
    private const string Path = "RequestPath";

    private readonly LoggerExternalScopeProvider scopes = new();

    public void ForEachScope<TState>(Action<object?, TState> callback, TState state)
    {
        ArgumentNullException.ThrowIfNull(callback);
        if (Activity.Current is { } current)
        {
            callback(new Scope([new("TraceId", $"{current.TraceId}"), new("SpanId", $"{current.SpanId}"), new("ParentId", $"{current.ParentSpanId}")]), state);
        }

        scopes.ForEachScope(callback, state);
    }

    public IDisposable Push(object? state) => scopes.Push(state is IReadOnlyList<KeyValuePair<string, object?>> pairs
        && pairs.Any(it => it.Key == Path && it.Value is string path && path.StartsWith(Downloads.Beginning, StringComparison.OrdinalIgnoreCase))
            ? new Scope([.. pairs.Select(it => it.Key == Path ? new(it.Key, Downloads.Beginning + "[hidden]") : it)])
            : state);

    private sealed class Scope(List<KeyValuePair<string, object?>> pairs) : List<KeyValuePair<string, object?>>(pairs)
    {
        public override string ToString() => string.Join(", ", this.Select(it => $"{it.Key}:{it.Value}"));
    }
}
