using CaveComm.Tests.Messaging.Conformance;
using Xunit.MicrosoftTestingPlatform;
using Xunit.Runner.InProc.SystemConsole;

namespace CaveComm.Tests.Support;

/// <summary>Runs the tests, or, as a child of one of them, the messaging node that it kills.</summary>
internal static class EntryPoint
{
    // Beside the first arm this is what xunit.v3 would generate.
    public static Task<int> Main(string[] arguments) => arguments switch
    {
        [NodeProcess.Argument, var settings] => NodeMain.Run(settings),
        _ when arguments.Any(argument => argument is "--server" or "--internal-msbuild-node") =>
            TestPlatformTestFramework.RunAsync(arguments, SelfRegisteredExtensions.AddSelfRegisteredExtensions),
        _ => ConsoleRunner.Run(arguments),
    };
}
