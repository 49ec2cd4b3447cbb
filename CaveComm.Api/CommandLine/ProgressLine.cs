using System.Globalization;
using CaveComm.Api.Pages;

namespace CaveComm.Api.CommandLine;

/// <summary>How far long work is: one line that is written over at a terminal, and a plain line now and then elsewhere.</summary>
internal sealed class ProgressLine(TextWriter output, bool isTerminal, string what, string unit, TimeProvider clock) : IDisposable
{
    private const int Width = 30;
    private static readonly TimeSpan Redraw = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan Murmur = TimeSpan.FromSeconds(2);

    private readonly Lock writing = new();
    private readonly long began = clock.GetTimestamp();
    private long? shownAt;
    private int drawn;
    private string? plain;

    /// <summary>On standard error, which keeps standard output for what the command answers.</summary>
    public static ProgressLine OnError(string what, string unit) => new(Console.Error, !Console.IsErrorRedirected, what, unit, TimeProvider.System);

    /// <param name="done">So far.</param>
    /// <param name="fraction">From 0 to 1.</param>
    public void Show(long done, double fraction)
    {
        lock (writing)
        {
            if (shownAt is { } last && clock.GetElapsedTime(last) < (isTerminal ? Redraw : Murmur))
            {
                return;
            }

            Write(done, fraction, end: false);
        }
    }

    /// <summary>The last word, which is always written.</summary>
    public void Finish(long done)
    {
        lock (writing)
        {
            Write(done, 1, end: true);
        }
    }

    public void Dispose()
    {
        lock (writing)
        {
            if (isTerminal && drawn > 0)
            {
                output.WriteLine();
                drawn = 0;
            }
        }
    }

    private void Write(long done, double fraction, bool end)
    {
        shownAt = clock.GetTimestamp();
        var seconds = clock.GetElapsedTime(began).TotalSeconds;
        var rate = seconds < 0.05 ? "" : string.Create(CultureInfo.InvariantCulture, $", {done / seconds:N0} {unit}/s");
        if (!isTerminal)
        {
            var text = $"{what}: {Numbers.Percent(fraction)}, {Numbers.Of(done)} {unit}";
            if (text != plain)
            {
                output.WriteLine(text + rate);
                plain = text;
            }

            return;
        }

        var filled = (int)(Math.Clamp(fraction, 0, 1) * Width);
        var line = $"{what} [{new string('#', filled)}{new string('-', Width - filled)}] {Numbers.Percent(fraction),5}  {Numbers.Of(done)} {unit}{rate}";
        output.Write($"\r{line.PadRight(drawn)}");
        drawn = end ? 0 : line.Length;
        if (end)
        {
            output.WriteLine();
        }
    }
}

/// <summary>Tells at once and in order; the framework's own hands each report to the thread pool, where the last may come before the first.</summary>
internal sealed class DirectProgress<T>(Action<T> told) : IProgress<T>
{
    public void Report(T value) => told(value);
}
