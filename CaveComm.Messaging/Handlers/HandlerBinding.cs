using System.Linq.Expressions;
using System.Reflection;
using System.Runtime.CompilerServices;
using CaveComm.EventStore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace CaveComm.Messaging;

/// <summary>What one call of a handler is given.</summary>
internal sealed record HandlerInput(
    object Message, Envelope Envelope, IServiceProvider Services, IDocumentSession? Session, MessageContext Context, CancellationToken Cancel);

/// <summary>A handler method, compiled to a delegate at start-up.</summary>
internal sealed class HandlerBinding
{
    private static readonly Type[] GivenTypes =
        [typeof(CancellationToken), typeof(IDocumentSession), typeof(IMessageBus), typeof(IOutbox), typeof(Envelope), typeof(ILogger)];

    private HandlerBinding(MethodInfo method, Func<HandlerInput, ValueTask<object?>> call)
    {
        Method = method;
        Call = call;
        MessageType = method.GetParameters()[0].ParameterType;
        UsesSession = method.GetParameters().Any(parameter => parameter.ParameterType == typeof(IDocumentSession));
    }

    public MethodInfo Method { get; }

    public Type MessageType { get; }

    /// <summary>Whether the handler's work commits together with the end of its message.</summary>
    public bool UsesSession { get; }

    public Func<HandlerInput, ValueTask<object?>> Call { get; }

    /// <summary>Binds the method, or says what is wrong with it.</summary>
    public static HandlerBinding? Bind(MethodInfo method, IServiceProviderIsService services, List<string> faults)
    {
        var before = faults.Count;
        var name = $"{method.DeclaringType!.FullName}.{method.Name}";
        var parameters = method.GetParameters();
        if (method.IsGenericMethodDefinition)
        {
            faults.Add($"{name} is generic; a handler takes one message type.");
        }
        else if (parameters.Length == 0 || !IsMessage(parameters[0].ParameterType))
        {
            faults.Add($"{name} must take a message (a public class or record of its own) as its first parameter.");
        }

        foreach (var parameter in parameters.Skip(1))
        {
            if (parameter.ParameterType.IsByRef)
            {
                faults.Add($"{name}: parameter '{parameter.Name}' is passed by reference.");
            }
            else if (!GivenTypes.Contains(parameter.ParameterType) && !services.IsService(parameter.ParameterType))
            {
                faults.Add($"{name}: parameter '{parameter.Name}' asks for the service {parameter.ParameterType}, which is not registered.");
            }
        }

        if (parameters.Any(p => p.ParameterType == typeof(IDocumentSession)) && !services.IsService(typeof(IDocumentStore)))
        {
            faults.Add($"{name} asks for an IDocumentSession, but no IDocumentStore is registered.");
        }

        foreach (var sent in SentTypes(method.ReturnType))
        {
            if (!IsMessage(sent))
            {
                faults.Add($"{name} returns {sent}, which is no message.");
            }
        }

        return faults.Count == before ? new HandlerBinding(method, Compile(method)) : null;
    }

    /// <summary>The message types that a return type names.</summary>
    public static IEnumerable<Type> SentTypes(Type returned)
    {
        if (returned == typeof(void) || returned == typeof(Task) || returned == typeof(ValueTask) || returned == typeof(object)
            || typeof(IEnumerable<object>).IsAssignableFrom(returned))
        {
            return [];
        }

        if (Nullable.GetUnderlyingType(returned) is { } inner)
        {
            return SentTypes(inner);
        }

        if (returned.IsGenericType)
        {
            var definition = returned.GetGenericTypeDefinition();
            if (definition == typeof(Task<>) || definition == typeof(ValueTask<>) || definition == typeof(DeliveryMessage<>))
            {
                return SentTypes(returned.GetGenericArguments()[0]);
            }
        }

        return typeof(ITuple).IsAssignableFrom(returned) ? returned.GetGenericArguments().SelectMany(SentTypes) : [returned];
    }

    private static bool IsMessage(Type type) =>
        !type.IsPrimitive && !type.IsEnum && !type.IsPointer && !type.IsArray && !type.ContainsGenericParameters && type != typeof(object) && type != typeof(string)
        && type.Namespace?.StartsWith("System", StringComparison.Ordinal) != true && (type.IsPublic || type.IsNestedPublic);

    private static Func<HandlerInput, ValueTask<object?>> Compile(MethodInfo method)
    {
        var input = Expression.Parameter(typeof(HandlerInput));
        var arguments = method.GetParameters().Select((parameter, index) => index == 0
            ? Expression.Convert(Expression.Property(input, nameof(HandlerInput.Message)), parameter.ParameterType)
            : Argument(input, parameter, method.DeclaringType!));
        Expression call = Expression.Call(method, arguments);
        var returned = method.ReturnType;
        call = returned switch
        {
            _ when returned == typeof(void) => Expression.Block(call, Expression.Default(typeof(ValueTask<object?>))),
            _ when returned == typeof(Task) => Adapt(nameof(FromTask), call),
            _ when returned == typeof(ValueTask) => Adapt(nameof(FromValueTask), call),
            { IsGenericType: true } when returned.GetGenericTypeDefinition() == typeof(Task<>) => Adapt(nameof(FromTaskOf), call, returned.GetGenericArguments()[0]),
            { IsGenericType: true } when returned.GetGenericTypeDefinition() == typeof(ValueTask<>) => Adapt(nameof(FromValueTaskOf), call, returned.GetGenericArguments()[0]),
            _ => Expression.New(typeof(ValueTask<object?>).GetConstructor([typeof(object)])!, Expression.Convert(call, typeof(object))),
        };
        return Expression.Lambda<Func<HandlerInput, ValueTask<object?>>>(call, input).Compile();
    }

    private static MethodCallExpression Adapt(string adapter, Expression call, params Type[] types)
    {
        var method = typeof(HandlerBinding).GetMethod(adapter, BindingFlags.Static | BindingFlags.NonPublic)!;
        return Expression.Call(types.Length == 0 ? method : method.MakeGenericMethod(types), call);
    }

    private static Expression Argument(ParameterExpression input, ParameterInfo parameter, Type handlerClass)
    {
        var type = parameter.ParameterType;
        if (type == typeof(CancellationToken))
        {
            return Expression.Property(input, nameof(HandlerInput.Cancel));
        }

        if (type == typeof(Envelope))
        {
            return Expression.Property(input, nameof(HandlerInput.Envelope));
        }

        if (type == typeof(IMessageBus) || type == typeof(IOutbox))
        {
            return Expression.Convert(Expression.Property(input, nameof(HandlerInput.Context)), type);
        }

        if (type == typeof(IDocumentSession))
        {
            return Expression.Property(input, nameof(HandlerInput.Session));
        }

        var services = Expression.Property(input, nameof(HandlerInput.Services));
        return type == typeof(ILogger)
            ? Expression.Call(typeof(HandlerBinding), nameof(LoggerFor), null, services, Expression.Constant(handlerClass.FullName))
            : Expression.Call(typeof(ServiceProviderServiceExtensions), nameof(ServiceProviderServiceExtensions.GetRequiredService), [type], services);
    }

    private static ILogger LoggerFor(IServiceProvider services, string category) => services.GetRequiredService<ILoggerFactory>().CreateLogger(category);

    private static async ValueTask<object?> FromTask(Task task)
    {
        await task;
        return null;
    }

    private static async ValueTask<object?> FromValueTask(ValueTask task)
    {
        await task;
        return null;
    }

    private static async ValueTask<object?> FromTaskOf<T>(Task<T> task) => await task;

    private static async ValueTask<object?> FromValueTaskOf<T>(ValueTask<T> task) => await task;
}
