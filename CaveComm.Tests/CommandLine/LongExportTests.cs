using System.Diagnostics;
using System.Globalization;
using CaveComm.Tests.EventStore;
using CaveComm.Tests.Support;
using Shouldly;

namespace CaveComm.Tests.CommandLine;

/// <summary>Exporting a log that is far longer than what memory should hold of it.</summary>
public sealed class LongExportTests(ITestOutputHelper output) : IAsyncLifetime
{
    private const long MiB = 1 << 20;
    private const int EventsEach = 10;
    private static readonly int Streams = Soak.Size(10_000, 100_000);

    private readonly TestFolder folder = new();
    private StoreUnderTest it = null!;

    public async ValueTask InitializeAsync()
    {
        it = await StoreUnderTest.Create();
        await it.Database.Execute($$"""
            insert into mt_streams (id, version) select 'parcel/' || n, {{EventsEach}} from generate_series(1, {{Streams}}) n;
            insert into mt_events (seq_id, id, stream_id, version, data, type, headers)
                select nextval('mt_events_sequence'), gen_random_uuid(), 'parcel/' || n, v, jsonb_build_object('grams', v, 'note', repeat('packed with care ', 12)), 'parcel.weighed',
                    '{"actor":"caretaker"}'
                from generate_series(1, {{EventsEach}}) v cross join generate_series(1, {{Streams}}) n order by v, n
            """);
    }

    public async ValueTask DisposeAsync()
    {
        folder.Dispose();
        await it.DisposeAsync();
    }

    [Fact]
    public async Task Memory_does_not_grow_with_the_log()
    {
        var all = (long)Streams * EventsEach;
        var (few, many) = (folder["few.ndjson"], folder["all.ndjson"]);

        var little = await MostMemory("events", "export", few, "--after", (all - 1_000).ToString(CultureInfo.InvariantCulture));
        var whole = await MostMemory("events", "export", many);

        File.ReadLines(few).Count().ShouldBe(1_000);
        File.ReadLines(many).LongCount().ShouldBe(all);
        output.WriteLine(string.Create(
            CultureInfo.InvariantCulture, $"{little / MiB} MiB for 1,000 events; {whole / MiB} MiB for {all:N0} ({new FileInfo(many).Length / MiB:N0} MiB of lines)"));
        (whole - little).ShouldBeLessThan(64 * MiB);
    }

    [Fact]
    public async Task Nothing_is_read_for_a_reader_that_has_gone()
    {
        var export = Start("events", "export");
        export.RedirectStandardOutput = true;
        export.RedirectStandardError = true;
        using var process = Process.Start(export)!;
        (await process.StandardOutput.ReadLineAsync(Cancel))!.ShouldContain("\"position\":1,");
        process.StandardOutput.Close();

        await process.WaitForExitAsync(Cancel);

        process.ExitCode.ShouldBe(1);
        var said = await process.StandardError.ReadToEndAsync(Cancel);
        said.ShouldContain("Broken pipe");
        said.ShouldNotContain("   at ");
    }

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private async Task<long> MostMemory(params string[] arguments)
    {
        using var process = Process.Start(Start(arguments))!;
        var most = 0L;
        await Eventually.Holds(
            "the command ends",
            () =>
            {
                most = Math.Max(most, HighWaterMark(process.Id));
                return process.HasExited;
            },
            TimeSpan.FromMinutes(10));
        process.ExitCode.ShouldBe(0);
        return most;
    }

    private ProcessStartInfo Start(params string[] arguments)
    {
        var start = new ProcessStartInfo("dotnet", [Path.Combine(AppContext.BaseDirectory, "CaveComm.Api.dll"), .. arguments, "--data", folder.Path]);
        start.Environment["ConnectionStrings__CaveComm"] = it.Database.ConnectionString;
        return start;
    }

    /// <summary>The most that a process ever had in memory, in bytes; 0 once it is gone.</summary>
    private static long HighWaterMark(int process)
    {
        try
        {
            var line = File.ReadLines($"/proc/{process}/status").FirstOrDefault(it => it.StartsWith("VmHWM:", StringComparison.Ordinal));
            return line is null ? 0 : long.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture) * 1024;
        }
        catch (IOException)
        {
            return 0;
        }
    }
}
