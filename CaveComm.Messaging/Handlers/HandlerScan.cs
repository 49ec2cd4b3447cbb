using System.Reflection;

namespace CaveComm.Messaging;

/// <summary>Finds handler methods.</summary>
internal static class HandlerScan
{
    private const string Suffix = "Handler";
    private const string MethodName = "Handle";

    public static IReadOnlyList<MethodInfo> Find(MessagingOptions options, List<string> faults)
    {
        var found = options.Assemblies.SelectMany(assembly => assembly.GetTypes()).Where(type => Looks(type, faults));
        return [.. found.Concat(options.HandlerClasses).Distinct().OrderBy(type => type.FullName, StringComparer.Ordinal).SelectMany(type => Methods(type, faults))];
    }

    private static bool Looks(Type type, List<string> faults)
    {
        var isStatic = type is { IsAbstract: true, IsSealed: true, IsClass: true };
        if (!isStatic || !type.Name.EndsWith(Suffix, StringComparison.Ordinal))
        {
            return false;
        }

        if (type.IsVisible)
        {
            return true;
        }

        // Passing it over in silence would leave its messages unhandled.
        if (type.GetMethod(MethodName, BindingFlags.Static | BindingFlags.Public) is not null)
        {
            faults.Add($"{type.FullName} looks like a handler but is not public.");
        }

        return false;
    }

    private static MethodInfo[] Methods(Type type, List<string> faults)
    {
        var methods = type.GetMethods(BindingFlags.Static | BindingFlags.Public).Where(method => method.Name == MethodName).ToArray();
        if (methods.Length == 0)
        {
            faults.Add($"{type.FullName} has no public static method named {MethodName}.");
        }

        return methods;
    }
}
