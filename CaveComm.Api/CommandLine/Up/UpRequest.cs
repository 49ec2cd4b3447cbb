namespace CaveComm.Api.CommandLine.Up;

/// <param name="Port">0 takes a free one.</param>
/// <param name="WithSandbox">False: another process runs the look-alikes on this data folder, or there are none.</param>
internal sealed record UpRequest(int Port, string Data, bool WithSandbox)
{
    /// <summary>Settings for this run, where the operator has configured nothing else.</summary>
    public IReadOnlyDictionary<string, string> Defaults { get; init; } = new Dictionary<string, string>();
}
