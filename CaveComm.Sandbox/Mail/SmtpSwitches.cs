namespace CaveComm.Sandbox.Mail;

/// <summary>What a test can do to the mail server. Not remembered across restarts: a machine that comes up again is well again.</summary>
public sealed class SmtpSwitches
{
    private int accepted;

    /// <summary>Every recipient is refused for good (550).</summary>
    public bool Refuse { get; set; }

    /// <summary>Every recipient is refused for now (451).</summary>
    public bool Busy { get; set; }

    /// <summary>Every n-th mail is kept, and then the connection is dropped without an answer: the sender can't know. 0 is never.</summary>
    public int DropAfterDataEvery { get; set; }

    internal bool DropsAfterThisMail() => DropAfterDataEvery > 0 && Interlocked.Increment(ref accepted) % DropAfterDataEvery == 0;

    internal void Count(int every)
    {
        DropAfterDataEvery = every;
        Interlocked.Exchange(ref accepted, 0);
    }
}
