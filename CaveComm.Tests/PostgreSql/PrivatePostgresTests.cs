using System.Diagnostics;
using System.Globalization;
using CaveComm.Sandbox.PostgreSql;
using CaveComm.Tests.Support;
using Npgsql;
using Shouldly;

namespace CaveComm.Tests.PostgreSql;

public sealed class PrivatePostgresTests : IDisposable
{
    private static readonly PrivatePostgresOptions Quick = new() { Durable = false };

    private readonly TestFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public async Task Data_survives_a_restart_and_the_port_is_kept()
    {
        string before;
        await using (var first = await Start())
        {
            first.Adopted.ShouldBeFalse();
            before = first.ConnectionString;
            await Execute(first, "create table kept as select 42 as answer");
        }

        await using var second = await Start();

        second.Adopted.ShouldBeFalse();
        second.ConnectionString.ShouldBe(before);
        (await Ask<int>(second, "select answer from kept")).ShouldBe(42);
    }

    [Fact]
    public async Task It_is_stopped_within_five_seconds_even_with_open_sessions()
    {
        var server = await Start();
        await using var session = new NpgsqlConnection(server.ConnectionString + ";Pooling=false");
        await session.OpenAsync(Cancel);
        await using (var busy = new NpgsqlCommand("begin; create table unfinished as select generate_series(1, 100000)", session))
        {
            await busy.ExecuteNonQueryAsync(Cancel);
        }

        var process = ServerProcess();
        var watch = Stopwatch.StartNew();
        await server.DisposeAsync();

        watch.Elapsed.ShouldBeLessThan(TimeSpan.FromSeconds(5));
        await Eventually.Holds("the server's process is gone", () => !IsRunning(process));
        File.Exists(PidFile).ShouldBeFalse();
    }

    [Fact]
    public async Task A_server_that_a_killed_process_left_running_is_adopted()
    {
        var killed = await Start();
        await Execute(killed, "create table kept as select 1 as answer");
        var process = ServerProcess();
        killed.Leave();

        await using var next = await Start();

        next.Adopted.ShouldBeTrue();
        ServerProcess().ShouldBe(process);
        next.ConnectionString.ShouldBe(killed.ConnectionString);
        (await Ask<int>(next, "select answer from kept")).ShouldBe(1);
    }

    [Fact]
    public async Task Of_two_users_only_the_last_stops_it()
    {
        var first = await Start();
        await using var second = await Start();
        second.Adopted.ShouldBeTrue();
        var process = ServerProcess();

        await first.DisposeAsync();
        (await Ask<int>(second, "select 1")).ShouldBe(1);

        await second.DisposeAsync();
        await Eventually.Holds("the server's process is gone", () => !IsRunning(process));
    }

    [Fact]
    public async Task Many_that_start_at_once_share_one_server()
    {
        var servers = await Task.WhenAll(Enumerable.Range(0, 5).Select(_ => Start()));

        servers.Count(server => !server.Adopted).ShouldBe(1);
        servers.Select(server => server.ConnectionString).Distinct().ShouldHaveSingleItem();
        await Task.WhenAll(servers.Select(server => server.DisposeAsync().AsTask()));
        File.Exists(PidFile).ShouldBeFalse();
    }

    [Fact]
    public async Task What_was_committed_survives_a_kill_of_the_server_itself()
    {
        var server = await PrivatePostgres.Start(folder.Path, Cancel);
        await Execute(server, "create table kept as select generate_series(1, 1000) as number");
        var process = ServerProcess();
        Process.GetProcessById(process).Kill();
        await Eventually.Holds("the server's process is gone", () => !IsRunning(process));
        server.Leave();
        File.Exists(PidFile).ShouldBeTrue();
        NpgsqlConnection.ClearAllPools();

        await using var next = await PrivatePostgres.Start(folder.Path, Cancel);

        next.Adopted.ShouldBeFalse();
        (await Ask<long>(next, "select count(*) from kept")).ShouldBe(1000);
    }

    [Fact]
    public async Task A_leftover_process_number_that_another_program_has_now_is_no_obstacle()
    {
        await (await Start()).DisposeAsync();
        await File.WriteAllLinesAsync(
            PidFile,
            [Environment.ProcessId.ToString(CultureInfo.InvariantCulture), "/elsewhere", "1700000000", "1", "", "127.0.0.1", "", "ready"],
            Cancel);

        await using var server = await Start();

        server.Adopted.ShouldBeFalse();
        (await Ask<int>(server, "select 1")).ShouldBe(1);
    }

    [Fact]
    public async Task A_leftover_process_number_that_another_postgresql_has_now_is_no_obstacle()
    {
        using var elsewhere = new TestFolder();
        await using var other = await PrivatePostgres.Start(elsewhere.Path, Quick, Cancel);
        await (await Start()).DisposeAsync();
        File.Copy(Path.Combine(elsewhere["postgres"], "cluster", "postmaster.pid"), PidFile);

        await using var server = await Start();

        server.Adopted.ShouldBeFalse();
        server.ConnectionString.ShouldNotBe(other.ConnectionString);
        (await Ask<int>(server, "select 1")).ShouldBe(1);
        (await Ask<int>(other, "select 1")).ShouldBe(1);
    }

    [Fact]
    public async Task A_first_start_that_was_cut_off_leaves_nothing_in_the_way()
    {
        Directory.CreateDirectory(Path.Combine(folder["postgres"], "cluster.new", "base"));
        await File.WriteAllTextAsync(Path.Combine(folder["postgres"], "password.new"), "half", Cancel);

        await using var server = await Start();

        (await Ask<int>(server, "select 1")).ShouldBe(1);
        File.Exists(Path.Combine(folder["postgres"], "password.new")).ShouldBeFalse();
    }

    [Fact]
    public async Task A_kept_port_that_another_program_took_is_given_up_for_another()
    {
        await (await Start()).DisposeAsync();
        var port = new NpgsqlConnectionStringBuilder((await StartAndStop()).ConnectionString).Port;
        using var taken = new System.Net.Sockets.TcpListener(System.Net.IPAddress.Loopback, port);
        taken.Start();

        await using var server = await Start();

        new NpgsqlConnectionStringBuilder(server.ConnectionString).Port.ShouldNotBe(port);
        (await Ask<int>(server, "select 1")).ShouldBe(1);

        async Task<PrivatePostgres> StartAndStop()
        {
            var started = await Start();
            await started.DisposeAsync();
            return started;
        }
    }

    [Fact]
    public async Task By_default_it_keeps_what_people_entrust_to_it()
    {
        await using var server = await PrivatePostgres.Start(folder.Path, Cancel);

        foreach (var (setting, value) in new[]
        {
            ("fsync", "on"), ("synchronous_commit", "on"), ("full_page_writes", "on"), ("data_checksums", "on"),
            ("listen_addresses", "127.0.0.1"), ("unix_socket_directories", ""), ("server_encoding", "UTF8"),
        })
        {
            (await Ask<string>(server, $"select current_setting('{setting}')")).ShouldBe(value, setting);
        }

        File.GetUnixFileMode(PrivatePostgres.SettingsFile(folder.Path)).ShouldBe(UnixFileMode.UserRead | UnixFileMode.UserWrite);
        File.GetUnixFileMode(Path.Combine(folder["postgres"], "cluster")).ShouldBe(
            UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
    }

    [Fact]
    public async Task It_asks_everyone_for_the_password()
    {
        await using var server = await Start();
        var wrong = new NpgsqlConnectionStringBuilder(server.ConnectionString) { Password = "wrong", Pooling = false };

        await using var intruder = new NpgsqlConnection(wrong.ConnectionString);

        (await Should.ThrowAsync<PostgresException>(() => intruder.OpenAsync(Cancel))).SqlState.ShouldBe(PostgresErrorCodes.InvalidPassword);
    }

    [Fact]
    public async Task Ctrl_C_at_the_terminal_does_not_reach_it()
    {
        await using var server = await Start();

        Session(ServerProcess()).ShouldNotBe(Session(Environment.ProcessId));
    }

    [Fact]
    public async Task Started_by_root_in_a_folder_that_only_root_may_enter_it_runs_as_an_ordinary_user()
    {
        Assert.SkipUnless(Environment.IsPrivilegedProcess, "Only root can drop root's rights.");
        File.SetUnixFileMode(folder.Path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        var data = Directory.CreateDirectory(folder["deep"], UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute).FullName;

        await using (var server = await PrivatePostgres.Start(data, Quick, Cancel))
        {
            var process = int.Parse(
                File.ReadLines(Path.Combine(data, "postgres", "cluster", "postmaster.pid")).First(), CultureInfo.InvariantCulture);
            File.ReadLines($"/proc/{process}/status").First(line => line.StartsWith("Uid:", StringComparison.Ordinal))
                .Split('\t', StringSplitOptions.RemoveEmptyEntries)[1..].ShouldNotContain("0");
            await Execute(server, "create table kept as select 7 as answer; create temp table t as select generate_series(1, 1000)");
        }

        await using var again = await PrivatePostgres.Start(data, Quick, Cancel);
        (await Ask<int>(again, "select answer from kept")).ShouldBe(7);
    }

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private string PidFile => Path.Combine(folder["postgres"], "cluster", "postmaster.pid");

    private Task<PrivatePostgres> Start() => PrivatePostgres.Start(folder.Path, Quick, Cancel);

    private int ServerProcess() => int.Parse(File.ReadLines(PidFile).First(), CultureInfo.InvariantCulture);

    private static bool IsRunning(int process) => File.Exists($"/proc/{process}/stat") && !After(process).StartsWith(" Z", StringComparison.Ordinal);

    private static string Session(int process) => After(process).Split(' ', StringSplitOptions.RemoveEmptyEntries)[3];

    // What follows the program's name in /proc/…/stat: state, parent, group, session.
    private static string After(int process)
    {
        try
        {
            var stat = File.ReadAllText($"/proc/{process}/stat");
            return stat[(stat.LastIndexOf(')') + 1)..];
        }
        catch (IOException)
        {
            return " Z";
        }
    }

    private static async Task Execute(PrivatePostgres server, string sql)
    {
        await using var source = NpgsqlDataSource.Create(server.ConnectionString);
        await using var command = source.CreateCommand(sql);
        await command.ExecuteNonQueryAsync(Cancel);
    }

    private static async Task<T> Ask<T>(PrivatePostgres server, string sql)
    {
        await using var source = NpgsqlDataSource.Create(server.ConnectionString);
        await using var command = source.CreateCommand(sql);
        return (T)(await command.ExecuteScalarAsync(Cancel))!;
    }
}
