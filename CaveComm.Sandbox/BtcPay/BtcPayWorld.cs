using CaveComm.Sandbox.Storage;

namespace CaveComm.Sandbox.BtcPay;

/// <summary>One BTCPay Server: its state, its clock, and what it has under way.</summary>
internal sealed class BtcPayWorld : IAsyncDisposable
{
    private Uri? listening;
    private int calls;

    public BtcPayWorld(SandboxStore store, BtcPayOptions options, TimeProvider time)
    {
        Store = store;
        Options = options;
        Time = time;
        Hooks = new BtcPayHooks(store, options, time);
        Agenda = new Agenda(time);
        Invoices = new BtcPayInvoices(this);
        Payouts = new BtcPayPayouts(this);
        PullPayments = new BtcPayPullPayments(this);
        Lightning = new BtcPayLightning(this);
    }

    public SandboxStore Store { get; }

    public BtcPayOptions Options { get; }

    public TimeProvider Time { get; }

    public BtcPayHooks Hooks { get; }

    public Agenda Agenda { get; }

    public BtcPayInvoices Invoices { get; }

    public BtcPayPayouts Payouts { get; }

    public BtcPayPullPayments PullPayments { get; }

    public BtcPayLightning Lightning { get; }

    public Uri BaseUrl => listening ?? throw new InvalidOperationException("The server has not started.");

    /// <summary>Goes on where the last process ended.</summary>
    public void Start(Uri address)
    {
        listening = address;
        Hooks.Own();
        Hooks.Queue.Start();
        Invoices.Resume();
        Payouts.Resume();
    }

    public BtcPayControls Controls() => Store.Transact(Controls);

    /// <summary>Counts the calls that change something, so that every n-th can be made to go wrong.</summary>
    public int CountCall() => Interlocked.Increment(ref calls);

    /// <summary>Counting begins anew.</summary>
    public void Set(BtcPayControls controls)
    {
        Interlocked.Exchange(ref calls, 0);
        Store.Transact(work => work.Write(BtcPayStore.Settings, "controls", controls));
        Payouts.Resume(); // What was held back goes on.
    }

    public static BtcPayControls Controls(SandboxStore.Work work) =>
        work.Read<BtcPayControls>(BtcPayStore.Settings, "controls") ?? new BtcPayControls();

    public async ValueTask DisposeAsync()
    {
        await Agenda.DisposeAsync();
        await Hooks.Queue.DisposeAsync();
    }
}
