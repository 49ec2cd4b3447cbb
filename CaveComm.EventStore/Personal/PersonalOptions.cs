namespace CaveComm.EventStore;

/// <summary>Which texts of events are stored sealed, each with the key of the person whom it is about.</summary>
public sealed class PersonalOptions
{
    /// <summary>How many bytes a key has.</summary>
    public const int KeySize = 32;

    private readonly Dictionary<Type, SealRule> rules = [];
    private byte[]? masterKey;

    internal PersonalOptions()
    {
    }

    /// <summary>Wraps the keys of persons, so that the database alone shows nothing: 32 bytes, the same on every node, kept outside the database.</summary>
    public byte[]? MasterKey
    {
        get => masterKey;
        set => masterKey = value is null or { Length: KeySize } ? value : throw new ArgumentException($"A master key has {KeySize} bytes, not {value.Length}.");
    }

    /// <summary>How long a node may go on reading with a key that another node has destroyed. The node that destroys it forgets it at once.</summary>
    public TimeSpan KeyLifetime { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>Seals texts of an event type.</summary>
    /// <param name="subject">Names whom the event is about; the texts can be read as long as this subject's key is there.</param>
    /// <param name="paths">Where the texts are in the JSON, such as <c>customer.name</c>. The path of an object or list seals every text below it. Numbers and the like stay readable.</param>
    public void Seal<T>(Func<T, string> subject, params string[] paths)
        where T : class
    {
        ArgumentOutOfRangeException.ThrowIfZero(paths.Length);
        rules.Add(typeof(T), new(data => subject((T)data), SealedPath.Of(paths)));
    }

    internal bool HasRules => rules.Count > 0;

    internal SealRule? For(Type type) => rules.GetValueOrDefault(type);
}

/// <param name="Subject">Names the subject of an event's data.</param>
internal sealed record SealRule(Func<object, string> Subject, SealedPath Paths);

/// <summary>A place in JSON, and the places below it that are sealed.</summary>
internal sealed class SealedPath
{
    private readonly Dictionary<string, SealedPath> below = new(StringComparer.Ordinal);

    /// <summary>Every text from here on.</summary>
    public bool IsWhole { get; private set; }

    public SealedPath? Below(string name) => IsWhole ? this : below.GetValueOrDefault(name);

    public static SealedPath Of(IEnumerable<string> paths)
    {
        var root = new SealedPath();
        foreach (var path in paths)
        {
            var at = root;
            foreach (var name in path.Split('.'))
                at = at.below.TryGetValue(name, out var next) ? next : at.below[name] = new();
            at.IsWhole = true;
        }

        return root;
    }
}
