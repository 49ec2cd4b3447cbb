using System.CommandLine;
using CaveComm.Domain;

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

    internal static Option<string?> Reason()
    {
        var reason = new Option<string?>("--reason") { Description = "Why; stands in the log beside what was done.", HelpName = "text" };
        reason.Validators.Add(given =>
        {
            var faults = new Faults();
            faults.LimitText("--reason", given.Tokens is [var token] ? token.Value : null, 2_000);
            foreach (var fault in faults.ByField.Values.SelectMany(it => it))
            {
                given.AddError($"--reason: {fault}");
            }
        });
        return reason;
    }

    internal static Argument<string> Name() => new("name") { Description = "The projection's name, as 'projections list' shows it.", HelpName = "NAME" };
}
