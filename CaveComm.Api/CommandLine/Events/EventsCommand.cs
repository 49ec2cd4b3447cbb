using System.CommandLine;

namespace CaveComm.Api.CommandLine.Events;

/// <summary>What an auditor does with the log at the command line. None of it changes anything.</summary>
internal static class EventsCommand
{
    public static Command Build() => new("events", "Replay a stream in plain words; export, verify and seal the log.")
    {
        ReplayStream.Build(),
        ExportEvents.Build(),
        VerifyEvents.Build(),
        SealEvents.Build(),
    };
}
