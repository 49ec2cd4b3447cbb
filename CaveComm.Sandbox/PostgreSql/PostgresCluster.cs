using System.Globalization;

namespace CaveComm.Sandbox.PostgreSql;

/// <summary>The files of the private server, and the programs that make, start and stop it.</summary>
/// <remarks>
/// Everything lies in one folder under --data, also when root started it in a folder that only root may enter: root opens the folder and
/// the unprivileged server inherits that handle, which it reaches as /proc/self/fd/9. So there is nothing elsewhere to find, copy or forget.
/// </remarks>
internal sealed class PostgresCluster
{
    private const string Handle = "/proc/self/fd/9";

    private readonly string folder;
    private readonly PostgresBinaries binaries;
    private readonly PostgresAccount? account;

    private PostgresCluster(string folder, PostgresBinaries binaries, PostgresAccount? account)
    {
        this.folder = folder;
        this.binaries = binaries;
        this.account = account;
    }

    public string Data => Path.Combine(folder, "cluster");

    private string StartLog => Path.Combine(folder, "start.log");

    public static async Task<PostgresCluster> Open(string folder, CancellationToken cancel)
    {
        var data = Path.Combine(folder, "cluster");
        var account = await PostgresAccount.Choose(data, cancel);
        var binaries = await PostgresBinaries.Get(MajorOf(data), cancel);

        // Installing may have brought the account that PostgreSQL's package makes.
        account ??= await PostgresAccount.Choose(data, cancel);
        Directory.CreateDirectory(folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        if (account is not null)
        {
            await account.Own(folder, cancel);
        }

        return new PostgresCluster(folder, binaries, account);
    }

    public bool Exists => MajorOf(Data) is not null;

    /// <summary>Makes the cluster beside its place and moves it there when it is whole, so that a crash leaves no half of one.</summary>
    public async Task Make(string user, string password, PrivatePostgresOptions options, CancellationToken cancel)
    {
        var unfinished = Path.Combine(folder, "cluster.new");
        var passwordFile = Path.Combine(folder, "password.new");
        Directory.CreateDirectory(folder);
        if (Directory.Exists(unfinished))
        {
            Directory.Delete(unfinished, recursive: true);
        }

        try
        {
            File.Delete(passwordFile);
            await using (var file = new FileStream(passwordFile, new FileStreamOptions
            {
                Mode = FileMode.CreateNew,
                Access = FileAccess.Write,
                UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite,
            }))
            {
                await file.WriteAsync(System.Text.Encoding.ASCII.GetBytes(password), cancel);
            }

            if (account is not null)
            {
                await account.Own(folder, cancel);
            }

            // UTF-8 rules for letters, bytes for order; a machine without C.UTF-8 has plain C.
            var made = await Initialise("C.UTF-8");
            if (!made.Succeeded)
            {
                made = await Initialise("C");
            }

            if (!made.Succeeded)
            {
                throw new PrivatePostgresException($"PostgreSQL's data could not be set up in {folder}:\n{made.Output}");
            }

            await File.AppendAllTextAsync(Path.Combine(unfinished, "postgresql.conf"), Settings(options), cancel);
            Directory.Move(unfinished, Data);
        }
        finally
        {
            File.Delete(passwordFile);
        }

        async Task<Shell.Result> Initialise(string letters) => await Run(
            "initdb",
            [
                "--pgdata", Seen("cluster.new"), "--username", user, "--pwfile", Seen("password.new"), "--encoding", "UTF8", "--locale", "C",
                "--lc-ctype", letters, "--auth", "scram-sha-256", "--data-checksums", .. options.Durable ? Array.Empty<string>() : ["--no-sync"],
            ],
            cancel);
    }

    /// <summary>Returns when the server takes connections, or did not come up within a while (then it may be recovering, or have failed).</summary>
    /// <remarks>pg_ctl gives it a session of its own, so that Ctrl-C at the terminal never reaches it.</remarks>
    public async Task<Shell.Result> Launch(int port, PrivatePostgresOptions options)
    {
        File.Delete(StartLog);
        var settings = string.Create(
            CultureInfo.InvariantCulture,
            $"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories= -c max_connections={options.MaxConnections}");
        if (!options.Durable)
        {
            settings += " -c fsync=off -c synchronous_commit=off -c full_page_writes=off";
        }

        // Not cancelled: a server that is half started would be left behind. Whoever gave up stops it when it is up.
        return await Run(
            "pg_ctl",
            ["--pgdata", Seen("cluster"), "--wait", "--timeout", "30", "--log", Seen("start.log"), "--options", settings, "start"],
            CancellationToken.None);
    }

    /// <summary>Ends all sessions and writes everything out. If that takes too long it just ends: the log on disk has everything.</summary>
    public async Task Stop(TimeSpan patience)
    {
        if (!(await Stop("fast", patience)).Succeeded && Postmaster.Read(Data)?.Look() == Postmaster.Life.Running)
        {
            await Stop("immediate", TimeSpan.FromSeconds(2));
        }
    }

    /// <summary>The end of what the server said when it did not start.</summary>
    public string Complaint()
    {
        if (!File.Exists(StartLog))
        {
            return "";
        }

        var lines = File.ReadAllLines(StartLog);
        return string.Join('\n', lines.TakeLast(15));
    }

    private static int? MajorOf(string data)
    {
        var path = Path.Combine(data, "PG_VERSION");
        return File.Exists(path) ? int.Parse(File.ReadAllText(path).Trim(), CultureInfo.InvariantCulture) : null;
    }

    private static string Settings(PrivatePostgresOptions options) => string.Create(CultureInfo.InvariantCulture, $"""

        # CaveComm's own. Port and address are given at every start.
        max_connections = {options.MaxConnections}
        shared_buffers = 256MB
        max_wal_size = 2GB
        wal_compression = on
        jit = off
        random_page_cost = 1.1
        password_encryption = scram-sha-256
        timezone = 'UTC'
        log_timezone = 'UTC'
        # One log for each weekday, written over a week later.
        logging_collector = on
        log_directory = 'log'
        log_filename = 'postgresql-%a.log'
        log_rotation_age = 1d
        log_rotation_size = 0
        log_truncate_on_rotation = on

        """);

    private async Task<Shell.Result> Stop(string mode, TimeSpan patience) => await Run(
        "pg_ctl",
        [
            "--pgdata", Seen("cluster"), "--wait", "--mode", mode, "--timeout",
            ((int)Math.Ceiling(patience.TotalSeconds)).ToString(CultureInfo.InvariantCulture), "stop",
        ],
        CancellationToken.None);

    // How the server's programs see a file of the folder.
    private string Seen(string name) => account is null ? Path.Combine(folder, name) : $"{Handle}/{name}";

    private async Task<Shell.Result> Run(string program, IEnumerable<string> arguments, CancellationToken cancel)
    {
        // Nothing of the caller's surroundings (PGDATA, PGPORT, a language) may leak into the server.
        var environment = new Dictionary<string, string>
        {
            ["PATH"] = string.Join(':', Shell.FoldersOnPath().Prepend(binaries.Folder).Distinct()),
            ["LC_ALL"] = "C",
            ["HOME"] = "/",
        };
        IEnumerable<string> command = [binaries[program], .. arguments];
        if (account is not null)
        {
            command = ["/bin/sh", "-c", """exec 9<"$0" && exec "$@" """.TrimEnd(), folder, .. account.Wrap(command)];
        }

        var parts = command.ToList();
        return await Shell.Run(parts[0], parts.Skip(1), environment, cancel)
            ?? throw new PrivatePostgresException($"The program {parts[0]} cannot be run.");
    }
}
