using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using CaveComm.Api.Pages;

namespace CaveComm.Api.CommandLine.Projections;

internal static class ListProjections
{
    private static readonly JsonSerializerOptions Indented = new(Http.Json.Options) { WriteIndented = true };

    public static Command Build()
    {
        var data = CommonOptions.Data();
        var json = new Option<bool>("--json") { Description = "As JSON, for programs: what GET /admin/projections answers." };
        var command = new Command("list", "Show every stored projection: its state and how far it is behind.") { data, json };
        command.SetAction((parsed, cancel) => OperatorStore.Run(
            parsed.GetRequiredValue(data),
            async opened =>
            {
                var all = await opened.Projections.List(cancel);
                Console.WriteLine(parsed.GetValue(json) ? JsonSerializer.Serialize(new { items = all }, Indented) : Table(all));
                return ExitCode.Success;
            },
            cancel));
        return command;
    }

    internal static string Table(IReadOnlyList<ProjectionSummary> all) => all is []
        ? "No projection is stored."
        : TextTable.Of(
            ["NAME", "VERSION", "STATE", ">POSITION", "BEHIND", ">PARKED"],
            [.. all.Select(it => new[]
            {
                it.Name, it.Version.ToString(CultureInfo.InvariantCulture), State(it), Numbers.Of(it.Position), Numbers.Lag(it.LagEvents, it.LagSeconds), Numbers.Of(it.Parked),
            })]);

    private static string State(ProjectionSummary it) => it switch
    {
        { Rebuild: { State: "running" or "paused" } rebuild } => $"{it.State} {Numbers.Percent(rebuild.Fraction)}",
        { Error: { } error } => $"{it.State}: {error}",
        _ => it.State,
    };
}
