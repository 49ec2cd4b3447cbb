using System.CommandLine;
using System.CommandLine.Help;
using CaveComm.Api.CommandLine.Accounts;
using CaveComm.Api.CommandLine.Backup;
using CaveComm.Api.CommandLine.Bench;
using CaveComm.Api.CommandLine.Demo;
using CaveComm.Api.CommandLine.Doctor;
using CaveComm.Api.CommandLine.Events;
using CaveComm.Api.CommandLine.Lookalikes;
using CaveComm.Api.CommandLine.Messages;
using CaveComm.Api.CommandLine.Projections;
using CaveComm.Api.CommandLine.Up;
using CaveComm.Sandbox.PostgreSql;

namespace CaveComm.Api.CommandLine;

/// <summary>All that an operator can ask of <c>./cavecomm</c>: one file for each command, gathered here.</summary>
internal static class CaveCommCommandLine
{
    public static async Task<int> Run(IReadOnlyList<string> arguments)
    {
        var parsed = Build().Parse(arguments is [] or ["help", ..] ? ["--help"] : arguments);
        using var signals = new TerminationSignals();
        try
        {
            // Our own signals: the library's give a command two seconds and then end the process under it.
            var answered = await parsed.InvokeAsync(
                new InvocationConfiguration { ProcessTerminationTimeout = null, EnableDefaultExceptionHandler = false }, signals.Asked);
            return parsed.Errors.Count > 0 ? ExitCode.Usage : answered;
        }
        catch (CommandFailure failure)
        {
            await Console.Error.WriteLineAsync($"cavecomm: {failure.Message}");
            return failure.ExitCode;
        }
        catch (PrivatePostgresException failure)
        {
            await Console.Error.WriteLineAsync($"cavecomm: {failure.Message}");
            return ExitCode.Failure;
        }
        catch (OperationCanceledException) when (signals.Asked.IsCancellationRequested)
        {
            return ExitCode.Success; // Asked to stop before it was ready; all that had started is stopped by now.
        }
    }

    // A plain command, since the library's root command takes its name from the file that runs.
    internal static Command Build() =>
        new("cavecomm", "CaveComm: a commission office for freelancers. 'cavecomm test' runs all tests; the rest is here.")
        {
            UpCommand.Build(),
            SandboxCommand.Build(),
            DemoCommand.Build(),
            DoctorCommand.Build(),
            BenchCommand.Build(),
            ProjectionsCommand.Build(),
            MessagesCommand.Build(),
            EventsCommand.Build(),
            AccountsCommand.Build(),
            BackupCommand.Build(),
            RestoreCommand.Build(),
            new HelpOption { Recursive = true },
        };
}
