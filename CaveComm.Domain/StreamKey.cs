namespace CaveComm.Domain;

/// <summary>The names of the streams: <c>{kind}:{id}</c>.</summary>
public static class StreamKey
{
    public static string Commission(Guid id) => $"commission:{id:D}";

    public static string Freelancer(string handle) => $"freelancer:{handle}";

    public static string Slots(string handle, string templateName) => $"slots:{handle}/{templateName}";

    /// <summary>What a freelancer owes in one coin from refunds and disputes after payouts.</summary>
    public static string Balance(string handle, string currency) => $"balance:{handle}/{currency}";

    /// <summary>The row of numbers of a freelancer's invoices and credits.</summary>
    public static string Numbers(string handle) => $"numbers:{handle}";

    /// <summary>What is paid for, and what became of it.</summary>
    /// <param name="id">That of the commission.</param>
    public static string Purchase(Guid id) => $"purchase:{id:D}";

    /// <param name="provider"><c>stripe</c> or <c>btcpay</c>.</param>
    public static string ProviderEvent(string provider, string eventId) => $"{provider}-event:{eventId}";

    /// <summary>Also the subject that everything about the person is sealed for.</summary>
    /// <param name="id">Null gives what all customers' keys begin with.</param>
    public static string Customer(Guid? id) => $"customer:{id:D}";

    /// <summary>The id behind a customer's key.</summary>
    public static Guid CustomerId(string key) => Guid.Parse(key.AsSpan("customer:".Length));

    public static string Account(Guid id) => $"account:{id:D}";

    /// <summary>One sign-in, and the tokens that came of it.</summary>
    public static string Session(Guid id) => $"session:{id:D}";

    /// <summary>A program that people let act for them, or that acts as itself.</summary>
    public static string Client(string id) => $"client:{id}";

    /// <summary>The keys that tokens are signed with.</summary>
    public const string SigningKeys = "signing-keys";

    /// <summary>Exists when a handle is taken.</summary>
    public static string Handle(string handle) => $"handle:{handle}";

    /// <summary>Exists when somebody signs in by this name. A name can be an e-mail address, and a stream's key is seen by many: it carries the digest.</summary>
    public static string Username(string usernameDigest) => $"username:{usernameDigest}";

    /// <summary>Who was not let in, by day and source: short streams, and of two refusals at once few meet in the same.</summary>
    /// <param name="origin">Keyed digest of the address.</param>
    public static string SignIns(DateOnly day, string origin) => $"sign-ins:{day:yyyy-MM-dd}/{origin}";

    public static string Invitation(Guid id) => $"invitation:{id:D}";

    /// <summary>What people asked of a projection.</summary>
    public static string Projection(string name) => $"projection:{name}";

    /// <summary>What was done to the installation as a whole.</summary>
    public const string Installation = "installation";

    /// <summary>What people did with a dead letter.</summary>
    public static string Message(Guid id) => $"message:{id:D}";

    /// <summary>Dead letters that were sent again together.</summary>
    public static string Replay(Guid id) => $"replay:{id:D}";

    /// <summary>The id behind a commission's key.</summary>
    public static Guid CommissionId(string key) => Guid.Parse(key.AsSpan("commission:".Length));

    /// <summary>The id behind a purchase's key, which is that of its commission.</summary>
    public static Guid PurchaseId(string key) => Guid.Parse(key.AsSpan("purchase:".Length));
}
