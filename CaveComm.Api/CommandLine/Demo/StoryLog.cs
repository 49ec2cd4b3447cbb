using System.Globalization;
using System.Text.Json.Nodes;

namespace CaveComm.Api.CommandLine.Demo;

/// <summary>What happened in one story, and what was checked.</summary>
internal sealed class StoryLog(Action<string> told)
{
    private readonly List<string> lines = [];

    public int Held { get; private set; }

    public int Failed { get; private set; }

    public IReadOnlyList<string> Lines => lines;

    public void Say(string line)
    {
        lines.Add(line);
        told(line);
    }

    public void Check(string rule, bool holds)
    {
        if (holds)
        {
            Held++;
        }
        else
        {
            Failed++;
        }

        Say($"  {(holds ? "ok    " : "FAILED")}  {rule}");
    }

    public void Fail(string why) => Check(why, holds: false);

    public void ShowHistory(JsonNode detail)
    {
        Say("  The commission's events:");
        foreach (var line in detail["history"]!.AsArray())
        {
            Say($"    {line!["version"],3}  {Moment(line!["at"])}  {Office.Text(line, "type"),-34}  {Office.Text(line, "text")}");
        }
    }

    public void ShowMails(IEnumerable<JsonNode> mails)
    {
        Say("  Its mails:");
        foreach (var mail in mails)
        {
            Say($"    {Moment(mail["date"])}  to {Office.Text(mail, "to"),-38}  {Office.Text(mail, "subject")}");
        }
    }

    private static string Moment(JsonNode? at) =>
        at is null ? "" : at.GetValue<DateTimeOffset>().UtcDateTime.ToString("HH:mm:ss.fff", CultureInfo.InvariantCulture);
}
