using System.Diagnostics.CodeAnalysis;
using System.Reflection;
using CaveComm.EventStore;

namespace CaveComm.Tests.Identity;

/// <summary>The store, with somebody who is always a moment quicker: just before the first save, or just after the first read, the rival does their own work to its end.</summary>
internal sealed class RivalStore(IDocumentStore inner, string moment, Func<Task> rival) : IDocumentStore
{
    public const string BeforeSave = nameof(IDocumentSession.SaveChangesAsync);
    public const string AfterRead = nameof(IQuerySession.LoadAsync);

    private readonly string moment = moment;
    private int came;

    public bool Came => Volatile.Read(ref came) == 1;

    public IDocumentSession LightweightSession() => Watched(inner.LightweightSession());

    public IQuerySession QuerySession() => Watched(inner.QuerySession());

    private T Watched<T>(T session)
        where T : class
    {
        var proxy = DispatchProxy.Create<T, Watch>();
        ((Watch)(object)proxy).Set(session, this);
        return proxy;
    }

    private async Task Come()
    {
        if (Interlocked.Exchange(ref came, 1) == 0)
        {
            await rival();
        }
    }

    [SuppressMessage("Performance", "CA1852", Justification = "The proxy is a class derived from it at run time.")]
    internal class Watch : DispatchProxy
    {
        private object session = null!;
        private RivalStore store = null!;

        public void Set(object watched, RivalStore by) => (session, store) = (watched, by);

        protected override object? Invoke(MethodInfo? targetMethod, object?[]? args)
        {
            return targetMethod!.Name != store.moment ? targetMethod.Invoke(session, args)
                : store.moment == BeforeSave ? SaveAfter(targetMethod, args)
                : typeof(Watch).GetMethod(nameof(ReadBefore), BindingFlags.NonPublic | BindingFlags.Instance)!
                    .MakeGenericMethod(targetMethod.ReturnType.GenericTypeArguments[0]).Invoke(this, [targetMethod, args]);
        }

        private async Task SaveAfter(MethodInfo method, object?[]? args)
        {
            await store.Come();
            await (Task)method.Invoke(session, args)!;
        }

        private async Task<T> ReadBefore<T>(MethodInfo method, object?[]? args)
        {
            var read = await (Task<T>)method.Invoke(session, args)!;
            await store.Come();
            return read;
        }
    }
}
