using System.CommandLine;

namespace CaveComm.Api.CommandLine.Projections;

/// <summary>What an operator sees of the stored projections and does to them, whether the product runs or not.</summary>
internal static class ProjectionsCommand
{
    public static Command Build() => new("projections", "List the views that follow the log; rebuild, pause, resume and retry them.")
    {
        ListProjections.Build(),
        RebuildProjection.Build(),
        PauseProjection.Build(),
        ResumeProjection.Build(),
        RetryProjection.Build(),
    };

    internal static Argument<string> Name() => new("name") { Description = "The projection's name, as 'projections list' shows it.", HelpName = "NAME" };
}
