using System.CommandLine;
using CaveComm.Api.CommandLine.Up;
using CaveComm.Sandbox.Storage;
using Spectre.Console;

namespace CaveComm.Api.CommandLine.Demo;

/// <summary>Plays the whole story over HTTP against a running product, checks it, and prints it.</summary>
internal static class DemoCommand
{
    private static readonly (string Title, Func<Office, StoryLog, Story> Make)[] Stories =
    [
        ("Paid up front, by Stripe", (office, log) => new UpFrontByStripe(office, log)),
        ("Paid on delivery, by BTCPay", (office, log) => new OnDeliveryByBtcPay(office, log)),
        ("An invoice for work agreed elsewhere", (office, log) => new InvoiceFirst(office, log)),
        ("Declined, with a letter", (office, log) => new DeclineWithLetter(office, log)),
        ("Accepted twice at once", (office, log) => new TwoAccepts(office, log)),
    ];

    public static Command Build()
    {
        var data = CommonOptions.Data();
        var faults = new Option<bool>("--faults")
        {
            Description = "In bad weather: every third provider call does its work and never answers, every fifth fails, and mail is down for a minute.",
        };
        var command = new Command("demo", "Play the whole story over HTTP, check it, and print it; exits 0 when every check held.") { data, faults };
        command.SetAction((parsed, cancel) => Run(parsed.GetRequiredValue(data), parsed.GetValue(faults) ? BadWeather.Usual : null, cancel));
        return command;
    }

    private static async Task<int> Run(string dataPath, BadWeather? weather, CancellationToken cancel)
    {
        var data = DataFolder.Open(dataPath);
        if (await Running(data, cancel) is { } facts)
        {
            return await Play(facts, weather, cancel);
        }

        Console.WriteLine($"No product runs on {data.Path}: one is started for the demo and stopped after it.");
        await using var started = await RunningProduct.Start(new UpRequest(0, data.Path, WithSandbox: true) { Defaults = weather?.Settings ?? [] }, cancel);
        await started.Announcement.Publish(cancel);
        return await Play(started.Facts, weather, cancel);
    }

    // An up.json whose writer was killed describes nothing; the lock tells.
    private static async Task<UpFile?> Running(DataFolder data, CancellationToken cancel)
    {
        using var free = FileLock.TryTake(data.UpLock);
        return free is null ? await DataFolder.Read<UpFile>(data.UpFile, cancel) : null;
    }

    private static async Task<int> Play(UpFile facts, BadWeather? weather, CancellationToken cancel)
    {
        using var office = new Office(facts, weather is null ? Office.Patience : BadWeather.Patience);
        try
        {
            await Story.Prepare(office, cancel);
        }
        catch (Exception failure) when (failure is DemoFailure or HttpRequestException)
        {
            throw new CommandFailure($"The demo could not begin: {failure.Message}");
        }

        await using var storm = weather is null ? null : await weather.Begin(facts, cancel);
        var logs = Console.IsOutputRedirected ? await PlayInLines(office, cancel) : await PlayOnTerminal(office, cancel);
        var (held, failed) = (logs.Sum(log => log.Held), logs.Sum(log => log.Failed));
        Console.WriteLine();
        Console.WriteLine(failed == 0 ? $"All {held} checks held." : $"{failed} of {held + failed} checks failed.");
        return failed == 0 ? ExitCode.Success : ExitCode.Failure;
    }

    private static async Task<IReadOnlyList<StoryLog>> PlayInLines(Office office, CancellationToken cancel)
    {
        var logs = new List<StoryLog>();
        foreach (var (title, make) in Stories)
        {
            Console.WriteLine();
            Console.WriteLine(title);
            var log = new StoryLog(Console.WriteLine);
            logs.Add(log);
            await Play(make(office, log), log, cancel);
        }

        return logs;
    }

    private static async Task<IReadOnlyList<StoryLog>> PlayOnTerminal(Office office, CancellationToken cancel)
    {
        var logs = new List<StoryLog>();
        await AnsiConsole.Progress().HideCompleted(false).Columns(new SpinnerColumn(), new TaskDescriptionColumn(), new ElapsedTimeColumn()).StartAsync(async progress =>
        {
            var tasks = Stories.Select(story => progress.AddTask(story.Title, autoStart: false)).ToList();
            foreach (var ((title, make), task) in Stories.Zip(tasks))
            {
                task.StartTask();
                var log = new StoryLog(line => task.Description = $"{title}: [grey]{Markup.Escape(line.Trim())}[/]");
                logs.Add(log);
                await Play(make(office, log), log, cancel);
                task.Description = log.Failed == 0 ? $"[green]{title}[/]" : $"[red]{title}[/]";
                task.Value = task.MaxValue;
                task.StopTask();
            }
        });
        foreach (var (log, (title, _)) in logs.Zip(Stories))
        {
            AnsiConsole.MarkupLine($"\n[bold]{title}[/]");
            foreach (var line in log.Lines)
            {
                Console.WriteLine(line);
            }
        }

        return logs;
    }

    private static async Task Play(Story story, StoryLog log, CancellationToken cancel)
    {
        try
        {
            await story.Play(cancel);
        }
        catch (Exception failure) when (failure is DemoFailure or HttpRequestException)
        {
            log.Fail(failure.Message);
        }
    }
}
