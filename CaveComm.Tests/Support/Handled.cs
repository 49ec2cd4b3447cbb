using System.Reflection;
using CaveComm.Api.Payments;

namespace CaveComm.Tests.Support;

/// <summary>What the product handles.</summary>
internal static class Handled
{
    /// <summary>The types of all messages that have a handler.</summary>
    public static IReadOnlyList<Type> Messages { get; } =
    [
        .. typeof(Alarm).Assembly.GetTypes().Where(type => type.Name.EndsWith("Handler", StringComparison.Ordinal) && type is { IsAbstract: true, IsSealed: true })
            .SelectMany(type => type.GetMethods(BindingFlags.Public | BindingFlags.Static).Where(method => method.Name == "Handle"))
            .Select(method => method.GetParameters()[0].ParameterType),
    ];
}
