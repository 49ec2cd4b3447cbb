using System.Text.Json;
using CaveComm.Tests.CommandLine;

namespace CaveComm.Tests.Messaging.Conformance;

/// <summary>A messaging node in a process of its own, as its parent sees it.</summary>
internal sealed class NodeProcess : IAsyncDisposable
{
    public const string Argument = "messaging-node";
    public const string UpLine = "the node is up: ";

    /// <summary>128 and the number of SIGKILL.</summary>
    public const int Killed = 137;

    private readonly CaveCommProcess process;

    private NodeProcess(CaveCommProcess process) => this.process = process;

    /// <summary>The node's id, once it is up.</summary>
    public Guid Id { get; private set; }

    public static NodeProcess Launch(MessagingWorld world, OutsideWorld outside, Func<NodeSettings, NodeSettings>? configure = null)
    {
        var settings = new NodeSettings { Database = world.Database.ConnectionString, Effects = outside.Address };
        return new NodeProcess(CaveCommProcess.StartOfTests(Argument, JsonSerializer.Serialize(configure?.Invoke(settings) ?? settings)));
    }

    public async Task<NodeProcess> Up()
    {
        await process.Shown(UpLine);
        Id = Guid.Parse(process.Output.Split('\n').First(line => line.StartsWith(UpLine, StringComparison.Ordinal))[UpLine.Length..]);
        return this;
    }

    public Task<int> Ended() => process.Ended();

    public Task Kill() => process.Kill();

    /// <summary>SIGTERM, as who stops a service sends it.</summary>
    public Task Terminate() => process.Signal("TERM");

    public string Said => process.Output + "\n" + process.Errors;

    public ValueTask DisposeAsync() => process.DisposeAsync();
}
