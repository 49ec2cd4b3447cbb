using System.CommandLine;

namespace CaveComm.Api.CommandLine.Doctor;

/// <summary>Checks the machine and the configuration, and says how to mend what is wrong. It changes nothing.</summary>
internal static class DoctorCommand
{
    public static Command Build()
    {
        var data = CommonOptions.Data();
        var port = CommonOptions.Port();
        var command = new Command("doctor", "Check the machine and the configuration, and say how to mend what is wrong.") { data, port };
        command.SetAction((parsed, cancel) => Run(parsed.GetRequiredValue(data), parsed.GetRequiredValue(port), Console.Out, cancel));
        return command;
    }

    internal static async Task<int> Run(string dataPath, int port, TextWriter output, CancellationToken cancel)
    {
        var configuration = OperatorConfiguration.Load();
        var data = Path.GetFullPath(dataPath);
        var findings = new List<Finding>();
        findings.AddRange(await MachineChecks.Run(configuration, cancel));
        findings.AddRange(await DataFolderChecks.Run(data, port, cancel));
        findings.AddRange(LeftoverChecks.InFolder(data));
        findings.AddRange(await DatabaseChecks.Run(configuration, data, cancel));
        findings.AddRange(await ProviderChecks.Run(configuration, cancel));
        findings.AddRange(await SettingChecks.Run(configuration, cancel));
        foreach (var finding in findings)
        {
            var mark = finding.Verdict switch { Verdict.Good => "ok   ", Verdict.Note => "note ", Verdict.Wrong => "WRONG" };
            await output.WriteLineAsync($"{mark}  {finding.Subject,-14}  {finding.Text}");
            if (finding.Remedy is not null)
            {
                await output.WriteLineAsync($"       {"",-14}  → {finding.Remedy}");
            }
        }

        var wrong = findings.Count(finding => finding.Verdict == Verdict.Wrong);
        await output.WriteLineAsync(wrong switch
        {
            0 => "Nothing is wrong.",
            1 => "One thing is wrong.",
            _ => $"{wrong} things are wrong.",
        });
        return wrong == 0 ? ExitCode.Success : ExitCode.Failure;
    }
}
