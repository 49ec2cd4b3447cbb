using System.Collections.Frozen;
using System.Reflection;
using System.Text;
using Microsoft.Extensions.DependencyInjection;

namespace CaveComm.Messaging;

/// <summary>A message type and all that is decided about it at start-up.</summary>
internal sealed record MessageType(Type Type, string Alias, string Queue, Func<object, string?>? Group, HandlerBinding Handler);

/// <summary>All message types with their handlers.</summary>
internal sealed class MessageCatalog
{
    private readonly FrozenDictionary<Type, MessageType> byType;
    private readonly FrozenDictionary<string, MessageType> byAlias;

    private MessageCatalog(IReadOnlyCollection<MessageType> types)
    {
        byType = types.ToFrozenDictionary(type => type.Type);
        byAlias = types.ToFrozenDictionary(type => type.Alias, StringComparer.Ordinal);
        Aliases = [.. byAlias.Keys];
    }

    public string[] Aliases { get; }

    /// <exception cref="MessagingConfigurationException">Something does not fit; all faults at once.</exception>
    public static MessageCatalog Build(MessagingOptions options, IServiceProviderIsService services)
    {
        var faults = new List<string>();
        var types = new Dictionary<Type, MessageType>();
        var methods = HandlerScan.Find(options, faults);
        foreach (var method in methods)
        {
            if (HandlerBinding.Bind(method, services, faults) is not { } handler)
            {
                continue;
            }

            var type = handler.MessageType;
            if (types.TryGetValue(type, out var other))
            {
                faults.Add($"{type.FullName} has two handlers: {Name(other.Handler.Method)} and {Name(method)}.");
                continue;
            }

            var queue = options.Routes.FirstOrDefault(route => route.Message.IsAssignableFrom(type)).Queue ?? MessagingOptions.DefaultQueue;
            if (!options.Queues.ContainsKey(queue))
            {
                faults.Add($"{type.FullName} is routed to the queue '{queue}', which is not configured.");
            }

            types[type] = new MessageType(type, AliasOf(type), queue, options.MessagePartitioning.For(type), handler);
        }

        foreach (var same in types.Values.GroupBy(type => type.Alias).Where(same => same.Count() > 1))
        {
            faults.Add($"The alias '{same.Key}' stands for {string.Join(" and ", same.Select(type => type.Type.FullName))}; give one of them a [MessageAlias].");
        }

        foreach (var handler in types.Values.Select(type => type.Handler))
        {
            foreach (var sent in HandlerBinding.SentTypes(handler.Method.ReturnType).Where(sent => sent is { IsInterface: false, IsAbstract: false } && !types.ContainsKey(sent)))
            {
                faults.Add($"{Name(handler.Method)} returns {sent.FullName}, which has no handler.");
            }
        }

        var handled = methods.Select(method => method.GetParameters().FirstOrDefault()?.ParameterType).ToHashSet();
        foreach (var declared in Declared(options).Where(declared => !handled.Contains(declared)))
        {
            faults.Add($"{declared.FullName} is declared as a message, but has no handler.");
        }

        if (options.ConnectionString.Length == 0)
        {
            faults.Add("No database is named; call Connection(…).");
        }

        return faults.Count == 0 ? new MessageCatalog(types.Values) : throw new MessagingConfigurationException(faults);
    }

    /// <exception cref="MissingHandlerException">Nobody handles it.</exception>
    public MessageType For(Type type) => byType.TryGetValue(type, out var found) ? found : throw new MissingHandlerException(type);

    public MessageType For(string alias) => byAlias[alias];

    /// <summary>What is named in a route or a group rule, falls under one by its interface, or has a stored name of its own: it is meant to be sent.</summary>
    private static IEnumerable<Type> Declared(MessagingOptions options)
    {
        var named = options.Routes.Select(route => route.Message).Concat(options.MessagePartitioning.Types).ToHashSet();
        var candidates = options.Assemblies.SelectMany(assembly => assembly.GetTypes())
            .Where(type => type.IsDefined(typeof(MessageAliasAttribute), inherit: false) || named.Any(rule => rule.IsAssignableFrom(type)));
        return named.Concat(candidates).Distinct().Where(type => type is { IsAbstract: false, IsInterface: false, IsGenericTypeDefinition: false });
    }

    /// <summary><c>PaymentSettled</c> becomes <c>payment-settled</c>, <c>BTCPayNews</c> becomes <c>btc-pay-news</c>.</summary>
    internal static string AliasOf(Type type)
    {
        if (type.GetCustomAttribute<MessageAliasAttribute>() is { } named)
        {
            return named.Alias;
        }

        var name = type.Name;
        var alias = new StringBuilder(name.Length + 8);
        for (var i = 0; i < name.Length; i++)
        {
            var startsWord = char.IsUpper(name[i]) && i > 0 && (!char.IsUpper(name[i - 1]) || (i + 1 < name.Length && char.IsLower(name[i + 1])));
            if (startsWord)
            {
                alias.Append('-');
            }

            alias.Append(char.ToLowerInvariant(name[i]));
        }

        return alias.ToString();
    }

    private static string Name(MethodInfo method) => $"{method.DeclaringType!.FullName}.{method.Name}";
}
