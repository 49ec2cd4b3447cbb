namespace CaveComm.Api.CommandLine.Demo;

/// <summary>A story cannot go on, because the product did something else than it should.</summary>
internal sealed class DemoFailure(string message) : Exception(message);
