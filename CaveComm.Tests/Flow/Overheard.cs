using System.Collections.Concurrent;
using System.Diagnostics;
using CaveComm.Tests.Support;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace CaveComm.Tests.Flow;

/// <param name="Kind"><c>log</c>, <c>trace</c>, <c>row</c>, <c>problem</c>, <c>page</c> or <c>mail</c>.</param>
/// <param name="Where">The category, span, table or address.</param>
internal sealed record Uttered(string Kind, string Where, string Text);

/// <summary>Everything that a product says and writes down: logs with their scopes, spans, and each row as it was when it was written.</summary>
internal sealed class Overheard : ILoggerProvider, ISupportExternalScope
{
    private static readonly string[] Sources = ["CaveComm", "Microsoft.AspNetCore", "Npgsql", "Marten", "Wolverine"];

    private readonly ActivityListener spans;
    private IExternalScopeProvider scopes = new LoggerExternalScopeProvider();

    public Overheard()
    {
        spans = new ActivityListener
        {
            ShouldListenTo = it => Sources.Any(name => it.Name.StartsWith(name, StringComparison.Ordinal)),
            Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllDataAndRecorded,
            ActivityStopped = it =>
            {
                Add("trace", it.Source.Name, string.Join('\n',
                [
                    it.DisplayName, it.OperationName, it.StatusDescription ?? "", .. it.TagObjects.Select(Line), .. it.Baggage.Select(pair => $"{pair.Key}={pair.Value}"),
                    .. it.Events.SelectMany(happened => happened.Tags.Select(Line).Prepend(happened.Name)), .. it.Links.SelectMany(link => link.Tags ?? []).Select(Line),
                ]));
                Add("log", "what would stand beside a line", string.Join('\n', Scopes())); // A line can be written anywhere.
            },
        };
        ActivitySource.AddActivityListener(spans);
    }

    public ConcurrentQueue<Uttered> All { get; } = [];

    /// <summary>From now on every row that is written is heard, those too that are gone in a moment.</summary>
    public static Task ListenTo(TestDatabase database) => database.Execute("""
        create table heard_row (place text not null, line text not null);
        create function hear() returns trigger language plpgsql as $$ begin insert into heard_row values (tg_table_name, new::text); return null; end $$;
        do $$
        declare place text;
        begin
            for place in select relname from pg_class where relnamespace = 'public'::regnamespace and relkind in ('r', 'p') and not relispartition and relname <> 'heard_row' loop
                execute format('create trigger hear after insert or update on %I for each row execute function hear()', place);
            end loop;
        end $$;
        """);

    /// <summary>Rows that were there before, and those that were heard.</summary>
    public async Task Gather(TestDatabase database)
    {
        await using var connection = await database.Open();
        foreach (var place in await Lines(connection, "select relname::text, '' from pg_class where relnamespace = 'public'::regnamespace and relkind = 'r'"))
        {
            var rows = place.Where == "heard_row" ? "select place, line from heard_row" : $"select '{place.Where}', it::text from \"{place.Where}\" it";
            foreach (var row in await Lines(connection, rows))
            {
                All.Enqueue(row);
            }
        }
    }

    public void Add(string kind, string where, string text) => All.Enqueue(new(kind, where, text));

    public void Attach(IServiceProvider services) => services.GetRequiredService<ILoggerFactory>().AddProvider(this);

    public ILogger CreateLogger(string categoryName) => new Ear(this, categoryName);

    public void SetScopeProvider(IExternalScopeProvider scopeProvider) => scopes = scopeProvider;

    public void Dispose() => spans.Dispose();

    private static async Task<List<Uttered>> Lines(NpgsqlConnection connection, string sql)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        await using var reader = await command.ExecuteReaderAsync();
        var all = new List<Uttered>();
        while (await reader.ReadAsync())
        {
            all.Add(new("row", reader.GetString(0), reader.GetString(1)));
        }

        return all;
    }

    private List<string> Scopes()
    {
        var lines = new List<string>();
        scopes.ForEachScope((scope, into) => into.AddRange(Pairs(scope).Append($"{scope}")), lines);
        return lines;
    }

    private static IEnumerable<string> Pairs(object? state) => state is IEnumerable<KeyValuePair<string, object?>> pairs ? pairs.Select(Line) : [];

    private static string Line(KeyValuePair<string, object?> pair) => $"{pair.Key}={pair.Value}";

    private sealed class Ear(Overheard all, string category) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => all.scopes.Push(state);

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            all.Add("log", category, string.Join('\n', [formatter(state, exception), $"{exception}", .. Pairs(state), .. all.Scopes()]));
        }
    }
}
