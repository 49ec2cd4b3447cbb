using System.Text.Json;
using System.Text.Json.Serialization;
using Npgsql;

namespace CaveComm.Benchmarks;

/// <summary>One measured figure.</summary>
/// <param name="P50">Median of one operation, in milliseconds, where operations were timed.</param>
/// <param name="Limit">What <paramref name="Ratio"/> should reach, or, where there is none, what <paramref name="Value"/> should stay under.</param>
/// <param name="Ratio">Ours divided by the plain way of doing the same in the same run.</param>
public sealed record BenchmarkResult(
    string Name, double Value, string Unit, double? P50 = null, double? P99 = null, double? Limit = null, double? Ratio = null);

/// <summary>Something that is measured.</summary>
public interface IBenchmark
{
    string Name { get; }

    Task<IReadOnlyList<BenchmarkResult>> Run(BenchmarkServer server, CancellationToken cancel);
}

/// <summary>Gives out fresh databases.</summary>
public sealed class BenchmarkServer(string connectionString)
{
    public async Task<BenchmarkDatabase> NewDatabase(CancellationToken cancel)
    {
        var name = $"cavecomm_benchmark_{Guid.NewGuid():N}";
        await OnServer($"create database {name}", cancel);
        var settings = new NpgsqlConnectionStringBuilder(connectionString) { Database = name, MaxPoolSize = 60 };
        return new(settings.ConnectionString, () => OnServer($"drop database if exists {name} with (force)", CancellationToken.None));
    }

    private async Task OnServer(string sql, CancellationToken cancel)
    {
        var settings = new NpgsqlConnectionStringBuilder(connectionString) { Pooling = false };
        await using var connection = new NpgsqlConnection(settings.ConnectionString);
        await connection.OpenAsync(cancel);
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync(cancel);
    }
}

/// <summary>A database that goes when the benchmark ends.</summary>
public sealed class BenchmarkDatabase(string connectionString, Func<Task> drop) : IAsyncDisposable
{
    public string ConnectionString { get; } = connectionString;

    public async ValueTask DisposeAsync() => await drop();
}

/// <summary>Runs benchmarks and prints what they found.</summary>
public static class BenchmarkRun
{
    private static readonly JsonSerializerOptions Json = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    };

    public static async Task<int> Run(IEnumerable<IBenchmark> benchmarks, string[] arguments, CancellationToken cancel)
    {
        string? Option(string name) => Array.IndexOf(arguments, name) is >= 0 and var at && at + 1 < arguments.Length ? arguments[at + 1] : null;

        if (Option("--database") is not { } database)
        {
            await Console.Error.WriteLineAsync("Usage: --database CONNECTIONSTRING [--only NAME] [--json FILE]");
            return 2;
        }

        var server = new BenchmarkServer(database);
        var only = Option("--only");
        Console.WriteLine($"{"benchmark",-44} {"value",12} {"unit",-12} {"p50 ms",9} {"p99 ms",9} {"ratio",7} {"limit",7}");
        foreach (var benchmark in benchmarks.Where(it => only is null || it.Name.StartsWith(only, StringComparison.OrdinalIgnoreCase)))
        {
            foreach (var it in await benchmark.Run(server, cancel))
            {
                Console.WriteLine($"{it.Name,-44} {it.Value,12:N2} {it.Unit,-12} {it.P50,9:N2} {it.P99,9:N2} {it.Ratio,7:N2} {it.Limit,7:N2}");
                if (Option("--json") is { } file)
                    await File.AppendAllTextAsync(file, JsonSerializer.Serialize(it, Json) + "\n", cancel);
            }
        }

        return 0;
    }
}
