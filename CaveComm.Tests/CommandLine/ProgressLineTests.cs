using CaveComm.Api.CommandLine;
using Shouldly;

namespace CaveComm.Tests.CommandLine;

public sealed class ProgressLineTests : IDisposable
{
    private readonly StringWriter output = new();
    private readonly SteppingTime clock = new();

    public void Dispose() => output.Dispose();

    [Fact]
    public void Elsewhere_than_at_a_terminal_there_is_a_plain_line_now_and_then_and_one_at_the_end()
    {
        using var line = new ProgressLine(output, isTerminal: false, "Verify", "events", clock);
        for (var done = 1; done <= 100; done++)
        {
            clock.Step(TimeSpan.FromMilliseconds(50));
            line.Show(done, done / 100d);
        }

        line.Finish(100);

        var lines = output.ToString().Split(Environment.NewLine, StringSplitOptions.RemoveEmptyEntries);
        lines.Length.ShouldBe(4);
        lines[^1].ShouldBe("Verify: 100 %, 100 events, 20 events/s");
        output.ToString().ShouldNotContain("\r");
    }

    [Fact]
    public void At_a_terminal_one_line_is_written_over()
    {
        using var line = new ProgressLine(output, isTerminal: true, "Verify", "events", clock);
        clock.Step(TimeSpan.FromSeconds(1));
        line.Show(50, 0.5);
        line.Finish(100);

        output.ToString().ShouldContain("\rVerify [###############---------------]  50 %  50 events, 50 events/s");
        output.ToString().Count(it => it == '\n').ShouldBe(1);
    }

    private sealed class SteppingTime : TimeProvider
    {
        private long ticks;

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public void Step(TimeSpan time) => ticks += time.Ticks;

        public override long GetTimestamp() => ticks;
    }
}
